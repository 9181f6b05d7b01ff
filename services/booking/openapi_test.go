package booking_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/require"

	"tandem/services/booking"
	"tandem/services/internal/httpserver"
)

// described is a transport that fails a call whose answer is not what
// docs/openapi.yaml says of it.
type described struct {
	router routers.Router
	next   http.RoundTripper
}

func describe(t *testing.T) described {
	t.Helper()
	doc := description(t)
	// Clients must bear members that they do not know; the file must know all.
	for _, s := range doc.Components.Schemas {
		if len(s.Value.Properties) > 0 && s.Value.AdditionalProperties.Has == nil {
			s.Value.AdditionalProperties.Has = new(bool)
		}
	}
	// An answer that the file does not name is a fault of the file.
	for _, op := range operations(t, doc) {
		op.Responses.Delete("default")
	}

	router, err := legacy.NewRouter(doc)
	require.NoError(t, err)
	return described{router, http.DefaultTransport}
}

func description(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("../../docs/openapi.yaml")
	require.NoError(t, err)
	doc.Servers = nil // the tests' servers lie elsewhere
	require.NoError(t, doc.Validate(t.Context()), "the examples are held against their schemas, too")
	return doc
}

// operation is one of booking's routes, as the file describes it.
type operation struct {
	*openapi3.Operation
	httpserver.Route
	path string // as the file writes it
}

func operations(t *testing.T, doc *openapi3.T) []operation {
	t.Helper()
	var out []operation
	for _, r := range booking.Routes() {
		path := strings.ReplaceAll(r.Path, ":id", "{id}")
		item := doc.Paths.Value(path)
		require.NotNil(t, item, path)
		op := item.GetOperation(r.Method)
		require.NotNil(t, op, "%s %s", r.Method, path)
		out = append(out, operation{op, r, path})
	}
	return out
}

func (d described) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := d.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if err := d.check(req, resp); err != nil {
		return nil, fmt.Errorf("%s %s answered %d: %w", req.Method, req.URL.Path, resp.StatusCode, err)
	}
	return resp, nil
}

func (d described) check(req *http.Request, resp *http.Response) error {
	route, params, err := d.router.FindRoute(req)
	if err != nil {
		return err
	}
	options := &openapi3filter.Options{
		IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		ExcludeResponseBody: strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream"),
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
