// Package apitest holds a service's answers against docs/openapi.yaml: that each
// answer is as it is described, that each described answer happens, and that wrong
// input is refused by name. Only tests import it.
//
//	api := apitest.Serve(t, routes)         // or apitest.At, for a server that runs
//	api.Provoke(t, requests, elsewhere)     // each described status, and its example
//	api.RefusesWrongInput(t, good, written) // each member and parameter, made wrong
package apitest

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
)

// Nobodys is an id that no ride, offer or message has.
const Nobodys = "019b0000-0000-7000-8000-000000000000"

// API is a server, and what docs/openapi.yaml says of its routes. As a transport it
// fails a call whose answer is another than the file describes.
type API struct {
	Base   string // the server's URL
	Signer *auth.Signer
	Ops    map[string]Operation // by operationId

	router routers.Router
}

// Operation is a route, as the file describes it.
type Operation struct {
	*openapi3.Operation
	httpserver.Route
	Path string // as the file writes it
	in   openapi3.Parameters
}

// Serve serves routes, without their rates, until the test ends.
func Serve(t testing.TB, signer *auth.Signer, routes []httpserver.Route) *API {
	t.Helper()
	routes = slices.Clone(routes)
	for i := range routes {
		// A test asks oftener than a person.
		routes[i].Limit, routes[i].PerAddress = httpserver.Limit{}, httpserver.Limit{}
	}
	h, err := httpserver.NewHandler(t.Context(), httpserver.Options{
		Name: "test", Auth: signer, Routes: routes,
		Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
	})
	require.NoError(t, err)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return At(t, server.URL, signer, routes)
}

// At is a server that runs already. Routes that the file does not describe, as it does
// none between services, are left out.
func At(t testing.TB, base string, signer *auth.Signer, routes []httpserver.Route) *API {
	t.Helper()
	doc := Description(t)
	a := &API{Base: base, Signer: signer, Ops: map[string]Operation{}}
	for _, r := range routes {
		path := paths.Replace(r.Path)
		item := doc.Paths.Value(path)
		if item == nil || item.GetOperation(r.Method) == nil {
			continue
		}
		op := item.GetOperation(r.Method)
		a.Ops[op.OperationID] = Operation{op, r, path, append(slices.Clone(item.Parameters), op.Parameters...)}

		// An answer that the file does not name is a fault of the file.
		op.Responses.Delete("default")
	}
	require.NotEmpty(t, a.Ops, "the file describes none of the routes")

	var err error
	a.router, err = legacy.NewRouter(doc)
	require.NoError(t, err)
	return a
}

// paths turns gin's patterns into the file's.
var paths = strings.NewReplacer(":id", "{id}", ":place", "{place}", ":group", "{group}", ":role", "{role}")

// Description returns docs/openapi.yaml, which is valid, its examples included. A value
// with a member that its schema does not name is refused by it.
func Description(t testing.TB) *openapi3.T {
	t.Helper()
	root, err := os.Getwd()
	require.NoError(t, err)
	for !exists(filepath.Join(root, "go.mod")) {
		require.NotEqual(t, filepath.Dir(root), root, "there is no go.mod above")
		root = filepath.Dir(root)
	}

	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(root, "docs", "openapi.yaml"))
	require.NoError(t, err)
	doc.Servers = nil // the tests' servers lie elsewhere
	require.NoError(t, doc.Validate(t.Context()))

	// Clients must bear members that they do not know; the file must know all.
	for _, s := range doc.Components.Schemas {
		if len(s.Value.Properties) > 0 && s.Value.AdditionalProperties.Has == nil {
			s.Value.AdditionalProperties.Has = new(bool)
		}
	}

	return doc
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// RoundTrip sends a request and holds the answer against the file.
func (a *API) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if err := a.check(req, resp); err != nil {
		return nil, fmt.Errorf("%s %s answered %d: %w", req.Method, req.URL.Path, resp.StatusCode, err)
	}
	return resp, nil
}

func (a *API) check(req *http.Request, resp *http.Response) error {
	route, params, err := a.router.FindRoute(req)
	if err != nil {
		return err
	}
	options := &openapi3filter.Options{
		IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		ExcludeResponseBody: strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") || resp.StatusCode == http.StatusSwitchingProtocols,
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route, Options: options},
		Status:                 resp.StatusCode, Header: resp.Header, Options: options,
	}

	if !options.ExcludeResponseBody {
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		in.SetBodyBytes(body)
	}
	return openapi3filter.ValidateResponse(req.Context(), in)
}

// tokenFor is how long a request's token is good.
const tokenFor = time.Minute

// send sends a request and returns the answer's status and its body; nil: it has no end.
func (a *API) send(t testing.TB, r Request) (status int, body []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), a.Ops[r.Op].Method, a.Base+r.Path, strings.NewReader(r.Body))
	require.NoError(t, err)
	if a.Ops[r.Op].RequestBody != nil {
		req.Header.Set("Content-Type", r.kind())
	}
	if r.Who != (auth.Identity{}) {
		token, err := a.Signer.Sign(r.Who, tokenFor)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(r.Header); i += 2 {
		req.Header.Set(r.Header[i], r.Header[i+1])
	}

	resp, err := a.RoundTrip(req)
	require.NoError(t, err, r)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusSwitchingProtocols || strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		return resp.StatusCode, nil
	}
	body, err = io.ReadAll(resp.Body)
	require.NoError(t, err, r)
	return resp.StatusCode, body
}
