package apitest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// sentence is what a refusal says: it begins with a capital or with what was sent.
var sentence = regexp.MustCompile(`^["A-Z0-9].{10,}`)

// RefusesWrongInput makes each member and query parameter of good requests wrong, one at
// a time: missing, null, of another type, too long, absurd, unknown. Each has to be
// refused with 400, a sentence, and the name of the member, of one around it or in it; and
// what written returns must stay the same. A nil written is not asked.
func (a *API) RefusesWrongInput(t *testing.T, good []Request, written func() any) {
	t.Helper()
	var before any
	if written != nil {
		before = written()
	}

	for _, r := range good {
		op := a.Ops[r.Op]
		if r.Path == "" {
			r.Path = op.nobodys()
		}
		for _, w := range op.wrongQueries(r.Path) {
			bad := r
			bad.Path = w.sent
			if w.right {
				a.send(t, bad) // any answer that is described
				continue
			}
			a.refuses(t, bad, w.field)
		}
		if op.body() == nil {
			continue
		}

		if op.RequestBody.Value.Required {
			bad := r
			bad.Body = ""
			a.refuses(t, bad, "")
		}
		for _, w := range wrongBodies(t, op.body(), r.Body) {
			bad := r
			bad.Body = w.sent
			a.refuses(t, bad, w.field)
		}
	}
	if written != nil {
		require.Equal(t, before, written(), "a refused request wrote something")
	}
}

func (a *API) refuses(t *testing.T, r Request, field string) {
	t.Helper()
	status, body := a.send(t, r)
	if status == http.StatusRequestEntityTooLarge {
		return // what is too long for a member is too long for some bodies
	}
	require.Equal(t, http.StatusBadRequest, status, "%s, %s: %s", field, r, body)
	var got refusal
	require.NoError(t, json.Unmarshal(body, &got))
	require.Regexp(t, sentence, got.Detail, "%s, %s: %s", field, r, body)
	named := got.Field != "" && (strings.HasPrefix(field+".", got.Field+".") || strings.HasPrefix(got.Field, field+"."))
	require.True(t, named || field == "", "%s is wrong, and %q is named, %s: %s", field, got.Field, r, body)
}

// wrong is what is sent, and which field of it is wrong; empty: it is the whole.
type wrong struct {
	sent, field string
	right       bool // it is at the edge of what is right
}

// wrongQueries returns the path with each query parameter in turn made wrong.
func (o Operation) wrongQueries(path string) (out []wrong) {
	path, text, _ := strings.Cut(path, "?")
	query, _ := url.ParseQuery(text) // a test's own
	for _, p := range o.in {
		if p.Value.In != openapi3.ParameterInQuery {
			continue
		}
		bad := maps.Clone(query)
		if p.Value.Required {
			bad.Del(p.Value.Name)
			out = append(out, wrong{sent: path + "?" + bad.Encode(), field: p.Value.Name})
		}
		for _, v := range texts(p.Value.Schema.Value) {
			bad.Set(p.Value.Name, v)
			out = append(out, wrong{path + "?" + bad.Encode(), p.Value.Name, allows(p.Value.Schema.Value, v)})
		}
	}
	return out
}

// texts are values that most parameters cannot have.
func texts(s *openapi3.Schema) []string {
	out := []string{"nonsense!", "-1", "1.5", "1e3", "NaN", "99999999999999999999", "-9223372036854775808", "9223372036854775807", "\x00", "a\x00b", "\xff", strings.Repeat("x", 5_000), "2026-99-99T00:00:00Z"}
	if s.Max != nil {
		out = append(out, fmt.Sprint(int64(*s.Max)+1))
	}
	if s.Min != nil {
		out = append(out, fmt.Sprint(int64(*s.Min)-1))
	}
	return out
}

// allows reports whether a parameter of the schema may be the text.
func allows(s *openapi3.Schema, text string) bool {
	if s.Format == "uuid" && uuid.Validate(text) != nil {
		return false
	}
	if s.Type.Is("integer") {
		n, err := strconv.ParseInt(text, 10, 64)
		return err == nil && s.VisitJSON(float64(n)) == nil
	}
	return s.VisitJSON(valueOf(s, text)) == nil
}

// valueOf is a parameter's text as its schema's type, or the text where it is none.
func valueOf(s *openapi3.Schema, text string) any {
	var n float64
	if s.Type.Is("number") && json.Unmarshal([]byte(text), &n) == nil {
		return n
	}
	return text
}

// wrongBodies returns a good body with each of its members in turn made wrong.
func wrongBodies(t *testing.T, s *openapi3.Schema, good string) []wrong {
	t.Helper()
	var value any
	require.NoError(t, json.Unmarshal([]byte(good), &value), good)
	require.NoError(t, s.VisitJSON(value), "the good body is not as described: %s", good)

	out := []wrong{{sent: "{"}, {sent: good + good}, {sent: strings.Replace(good, "{", "{\"\xff\":1,", 1)}}
	if strings.HasPrefix(good, `{"`) {
		out = append(out, wrong{sent: strings.Replace(good, "{", good[:len(good)-1]+",", 1)}) // each member twice
	}
	return append(out, wrongValues(s, value, "", true, func(v any) string {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		return string(b)
	})...)
}

// wrongValues returns the value made wrong, as whole writes it into the body.
func wrongValues(s *openapi3.Schema, value any, path string, required bool, whole func(any) string) (out []wrong) {
	for _, v := range absurd() {
		// An empty text is one that was left out.
		if s.VisitJSON(v) != nil && (required || v != "") {
			out = append(out, wrong{sent: whole(v), field: path})
		}
	}
	// A NUL is no text, and Postgres does not take it: nobody knows of which member.
	if s.Type.Is("string") {
		out = append(out, wrong{sent: whole("a\x00b")})
	}

	switch v := value.(type) {
	case map[string]any:
		more := maps.Clone(v)
		more["surplus"] = 1
		out = append(out, wrong{sent: whole(more), field: within(path, "surplus")})
		for name := range s.Properties {
			with := func(inner any) string {
				changed := maps.Clone(v)
				changed[name] = inner
				return whole(changed)
			}
			required := slices.Contains(s.Required, name)
			if required {
				less := maps.Clone(v)
				delete(less, name)
				out = append(out, wrong{sent: whole(less), field: within(path, name)}, wrong{sent: with(nil), field: within(path, name)})
			}
			out = append(out, wrongValues(s.Properties[name].Value, v[name], within(path, name), required, with)...)
		}
	case []any:
		if len(v) > 0 {
			out = append(out, wrongValues(s.Items.Value, v[0], path, true, func(inner any) string {
				return whole(append([]any{inner}, v[1:]...))
			})...)
		}
		if s.MaxItems != nil {
			out = append(out, wrong{sent: whole(slices.Repeat(v[:1], int(*s.MaxItems)+1)), field: path}) //nolint:gosec // it is small
		}
	}
	return out
}

// absurd are values of every type: too large, too long, empty, not whole.
func absurd() []any {
	return []any{
		"x", "", " ", strings.Repeat("x", 5_000), strings.Repeat("ñ", 600), "a b", true, []any{}, []any{1.0}, map[string]any{},
		map[string]any{"$ne": ""}, 0.0, 7.0, -1.0, 1.5, 1e15, -1e300, 1e300,
	}
}

func within(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }
