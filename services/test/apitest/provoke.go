package apitest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
)

// Request is a request, and the status that the file describes for it.
type Request struct {
	Op     string        // its operationId
	Who    auth.Identity // zero: it has no token
	Status int
	Path   string // with its query; empty: the operation's, about what nobody has
	Body   string
	Kind   string         // the Content-Type; empty: JSON
	Header []string       // names and values in turn
	Before func(*Request) // makes the server answer so, and completes the request
}

func (r Request) kind() string {
	if r.Kind == "" {
		return "application/json"
	}
	return r.Kind
}

// String shows the request in a failure.
func (r Request) String() string {
	return fmt.Sprintf("%s %s as %s %s: %s", r.Op, r.Path, r.Who.Role, r.Who.Subject, r.Body[:min(len(r.Body), 200)])
}

type refusal struct {
	Code   string `json:"code"`
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Provoke sends requests, and those of Refused, and requires that each is answered with
// its status, as the file describes it, and that an error has an example with the same
// code and field. Each status that the file describes of a route has to be provoked, or
// to stand in elsewhere with the reason why not: as "200" for all routes, or as
// "createRide 200".
func (a *API) Provoke(t *testing.T, requests []Request, elsewhere map[string]string) {
	t.Helper()
	left := map[string]bool{}
	for id, op := range a.Ops {
		for status := range op.Responses.Map() {
			left[id+" "+status] = true
		}
	}
	for _, r := range append(a.Refused(), requests...) {
		require.Contains(t, a.Ops, r.Op)
		a.provoke(t, r)
		delete(left, fmt.Sprint(r.Op, " ", r.Status))
	}

	unused := maps.Clone(elsewhere)
	maps.DeleteFunc(left, func(name string, _ bool) bool {
		_, status, _ := strings.Cut(name, " ")
		for _, key := range []string{name, status} {
			if _, ok := elsewhere[key]; ok {
				delete(unused, key)
				return true
			}
		}
		return false
	})
	require.Empty(t, slices.Sorted(maps.Keys(left)), "described, and provoked by no request here")
	require.Empty(t, unused, "all of these were provoked")
}

func (a *API) provoke(t *testing.T, r Request) {
	t.Helper()
	if r.Before != nil {
		r.Before(&r)
	}
	if r.Path == "" {
		r.Path = a.Ops[r.Op].nobodys()
	}
	status, body := a.send(t, r)
	require.Equal(t, r.Status, status, "%s: %s", r, body)
	if r.Status == http.StatusNotModified || r.Status == http.StatusNoContent {
		require.Empty(t, body)
	}
	if r.Status < http.StatusBadRequest {
		return
	}

	var got refusal
	require.NoError(t, json.Unmarshal(body, &got), "%s: %s", r, body)
	got.Detail = "" // its words may name what was sent
	examples := []refusal{}
	for _, e := range a.Ops[r.Op].Responses.Value(strconv.Itoa(r.Status)).Value.Content["application/problem+json"].Examples {
		examples = append(examples, exampleOf(t, e))
	}
	require.Contains(t, examples, got, "%s: %s", r, body)
}

func exampleOf(t *testing.T, e *openapi3.ExampleRef) (out refusal) {
	t.Helper()
	b, err := json.Marshal(e.Value.Value)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &out))
	out.Detail = ""
	return out
}

// nobodys is the operation's path, about what does not exist.
func (o Operation) nobodys() string {
	path := o.Path
	for _, p := range o.in {
		name := "{" + p.Value.Name + "}"
		switch schema := p.Value.Schema.Value; {
		case p.Value.In != openapi3.ParameterInPath:
		case len(schema.Enum) > 0:
			path = strings.ReplaceAll(path, name, fmt.Sprint(schema.Enum[0]))
		default:
			path = strings.ReplaceAll(path, name, Nobodys)
		}
	}
	return path
}

// Refused are requests that a route refuses whatever it is about: without a token, of
// another role, with a body that is none, about what does not exist.
func (a *API) Refused() (out []Request) {
	for id, op := range a.Ops {
		add := func(who auth.Identity, status int, body, kind string) {
			out = append(out, Request{Op: id, Who: who, Status: status, Body: body, Kind: kind, Header: []string{"Idempotency-Key", "k"}})
		}
		may := auth.Identity{}
		if !op.Public {
			may = auth.Identity{Role: op.Roles[0], Subject: "somebody"}
			add(auth.Identity{}, http.StatusUnauthorized, "{}", "")
			for _, role := range []auth.Role{auth.Viewer, auth.Rider, auth.Driver, auth.Importer, auth.Service, auth.Admin} {
				if !slices.Contains(op.Roles, role) {
					add(auth.Identity{Role: role, Subject: "somebody"}, http.StatusForbidden, "{}", "")
				}
			}
		}

		if op.RequestBody != nil {
			large := `{"x":"` + strings.Repeat("x", int(max(op.MaxBody, httpserver.DefaultMaxBody))) + `"}`
			add(may, http.StatusRequestEntityTooLarge, large, "")
			add(may, http.StatusUnsupportedMediaType, "{}", "text/plain")
			add(may, http.StatusUnsupportedMediaType, "{}", "")
			out[len(out)-1].Header = []string{"Idempotency-Key", "k", "Content-Encoding", "br"} // no route takes it
		}
		if id := op.in.GetByInAndName(openapi3.ParameterInPath, "id"); id != nil && id.Schema.Value.Format == "uuid" && (op.RequestBody == nil || !op.RequestBody.Value.Required) {
			add(may, http.StatusNotFound, "", "")
		}
	}
	return out
}

// body is the schema of the operation's body; nil: it has none.
func (o Operation) body() *openapi3.Schema {
	if o.RequestBody == nil || o.RequestBody.Value.Content["application/json"] == nil {
		return nil
	}
	return o.RequestBody.Value.Content["application/json"].Schema.Value
}
