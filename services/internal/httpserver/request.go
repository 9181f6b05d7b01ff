package httpserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
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
// trailing bytes are problems that name the member.
func Bind(c *gin.Context, v any) error {
	// A page of another site may send a form or a plain text without asking first.
	kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || kind != "application/json" {
		return problem.New(problem.Unsupported, "Send JSON, with Content-Type: application/json.")
	}

	var text strings.Builder
	dec := json.NewDecoder(io.TeeReader(c.Request.Body, &text))
	dec.DisallowUnknownFields() // a misspelt member would be ignored in silence

	if err := dec.Decode(v); err != nil {
		return bindProblem(err)
	}

	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return problem.New(problem.Invalid, "The body has more after its JSON value; send one value.")
	}
	return checkMembers(text.String())
}

// bindProblem turns a decoder's error into one that names the member.
func bindProblem(err error) error {
	var typ *json.UnmarshalTypeError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return err // mapped to 413 with the limit
	case errors.As(err, &typ):
		return problem.Field(typ.Field, "%s is not allowed here; it takes %s.", typ.Value, typ.Type)
	case errors.Is(err, io.EOF):
		return problem.New(problem.Invalid, "The body is empty; send JSON.")
	}
	return problem.Wrap(err, problem.Invalid, "The body cannot be read: %s.", fmt.Sprint(err))
}
