package httpserver

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"tandem/services/internal/problem"
)

// ReadBody reads a JSON body of at most most bytes into b, for Decode. One that comes
// with Content-Encoding: gzip is unpacked, and the limit counts what it unpacks to as
// well. Its errors have the answers 400, 413 and 415. Bind takes no packed body.
func ReadBody(c *gin.Context, most int64, b *bytes.Buffer) error {
	if err := isJSON(c); err != nil {
		return err
	}

	switch how := coding(c); how {
	case "", "identity":
		_, err := b.ReadFrom(c.Request.Body)
		return readProblem(err, "The body cannot be read: %s.")
	case "gzip", "x-gzip":
		return unpack(c.Request.Body, most, b)
	default:
		return refuseCoding(c, "gzip", "The body may be packed with gzip alone, and not with Content-Encoding: %q.", how)
	}
}

// coding is how the body is packed, in small letters; "": it does not say.
func coding(c *gin.Context) string {
	return strings.ToLower(strings.Join(c.Request.Header.Values("Content-Encoding"), ", "))
}

// refuseCoding also names what the next request may have: RFC 9110, 12.5.3.
func refuseCoding(c *gin.Context, allowed, words, how string) error {
	c.Header("Accept-Encoding", allowed)
	return problem.New(problem.Unsupported, words, how)
}

// unpackers are gzip.Readers: a new one takes 40 kB.
var unpackers = sync.Pool{New: func() any { return new(gzip.Reader) }}

func unpack(packed io.Reader, most int64, b *bytes.Buffer) error {
	z, _ := unpackers.Get().(*gzip.Reader)
	defer unpackers.Put(z)

	err := z.Reset(packed)
	switch {
	case errors.Is(err, io.EOF):
		return nil // nothing was sent, which Decode says
	case err == nil:
		// The body's own limit counts packed bytes, of which a kilobyte may unpack to a
		// megabyte.
		_, err = b.ReadFrom(http.MaxBytesReader(nil, z, most))
	}

	return readProblem(err, "The body is not whole gzip, as Content-Encoding says it is: %s.")
}

// isJSON refuses a body of another type: a page of another site may send a form or a
// plain text without asking first.
func isJSON(c *gin.Context) error {
	kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || kind != "application/json" {
		return problem.New(problem.Unsupported, "Send JSON, with Content-Type: application/json.")
	}
	return nil
}

// readProblem turns the error of reading a body into one that says so in its words.
func readProblem(err error, words string) error {
	var tooLarge *http.MaxBytesError
	if err == nil || errors.As(err, &tooLarge) {
		return err // mapped to 413 with the limit
	}
	return problem.Wrap(err, problem.Invalid, words, err.Error())
}
