package httpserver

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"tandem/services/internal/auth"
	"tandem/services/internal/problem"
)

// Identity returns who asks; on a public route without a token it is empty.
func Identity(c *gin.Context) auth.Identity {
	id, _ := auth.FromContext(c.Request.Context())
	return id
}

// Bind reads the JSON body into v. Unknown and repeated members, wrong types and
// trailing bytes are problems that name the member. A body that is not JSON, or packed,
// has the answer 415; ReadBody takes gzip.
func Bind(c *gin.Context, v any) error {
	if err := isJSON(c); err != nil {
		return err
	}
	if how := coding(c); how != "" && how != "identity" {
		return refuseCoding(c, "identity", "The body may not be packed, as with Content-Encoding: %q it is.", how)
	}
	return Decode(c.Request.Body, v)
}

// Decode reads one JSON value into v, as strictly as Bind does, for what comes by another
// way than a request's body.
func Decode(body io.Reader, v any) error {
	var text strings.Builder
	dec := json.NewDecoder(io.TeeReader(body, &text))
	dec.DisallowUnknownFields() // a misspelt member would be ignored in silence

	if err := dec.Decode(v); err != nil {
		return bindProblem(err, element(reflect.TypeOf(v)), text.String())
	}

	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return problem.New(problem.Invalid, "The body has more after its JSON value; send one value.")
	}
	return checkMembers(text.String())
}

// bindProblem turns the error of decoding a body into one that names the member.
func bindProblem(err error, into reflect.Type, body string) error {
	var typ *json.UnmarshalTypeError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return err // mapped to 413 with the limit
	case errors.As(err, &typ):
		return problem.Field(memberPath(into, typ.Field), "It is %s and has to be %s.", jsonWord(typ.Value), jsonKind(typ.Type))
	case errors.Is(err, io.EOF):
		return problem.New(problem.Invalid, "The body is empty; send JSON.")
	}

	var value any
	if json.NewDecoder(strings.NewReader(body)).Decode(&value) == nil {
		if unknown, known := unknownMember(into, value); unknown != "" {
			return problem.Field(unknown, "There is no such member here; there are %s.", strings.Join(known, ", "))
		}
	}
	return problem.Wrap(err, problem.Invalid, "The body cannot be read: %s.", fmt.Sprint(err))
}

// unknownMember returns the path to a member of the body that a struct has no field for,
// or "", and the members that there are in its place.
func unknownMember(t reflect.Type, value any) (path string, known []string) {
	t = element(t)
	switch v := value.(type) {
	case []any:
		for _, e := range v {
			if path, known = unknownMember(t, e); path != "" {
				return path, known
			}
		}
	case map[string]any:
		if t == nil || t.Kind() != reflect.Struct {
			return "", nil
		}
		types := map[string]reflect.Type{}
		for _, f := range reflect.VisibleFields(t) {
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name := cmp.Or(tag, f.Name); f.IsExported() && !f.Anonymous {
				types[name] = f.Type
				known = append(known, name)
			}
		}

		for _, name := range slices.Sorted(maps.Keys(v)) {
			inner, ok := types[name]
			if !ok {
				return name, known
			}
			if path, below := unknownMember(inner, v[name]); path != "" {
				return name + "." + path, below
			}
		}
	}
	return "", nil
}

// memberPath is a decoder's path to a member, without the embedded structs that Go puts
// into it: the client has never heard of them.
func memberPath(t reflect.Type, path string) string {
	var out []string
	for name := range strings.SplitSeq(path, ".") {
		var field reflect.StructField
		for i := range numFields(t) {
			f := t.Field(i)
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if cmp.Or(tag, f.Name) == name {
				field = f
			}
		}

		if !field.Anonymous || field.Tag.Get("json") != "" {
			out = append(out, name)
		}
		t = element(field.Type)
	}
	return strings.Join(out, ".")
}

// numFields is 0 for what is no struct.
func numFields(t reflect.Type) int {
	if t == nil || t.Kind() != reflect.Struct {
		return 0
	}
	return t.NumField()
}

// element is what t points to, or a list's element.
func element(t reflect.Type) reflect.Type {
	for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice) {
		t = t.Elem()
	}
	return t
}

// jsonWord says what a decoder found: "string", "number 1e999", "object", ….
func jsonWord(found string) string {
	kind, value, _ := strings.Cut(found, " ")
	switch kind {
	case "array", "object":
		return "an " + kind
	case "bool":
		return "a boolean"
	case "number":
		if value != "" { // too large, or not whole
			return "the number " + value + ", which does not fit,"
		}
	}
	return "a " + kind
}

// jsonKind says what a member has to be, in JSON's words: a Go type's name tells a
// client nothing.
func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		return fmt.Sprintf("a whole number of at most %d bits", t.Bits())
	}
	return "a value of another type"
}
