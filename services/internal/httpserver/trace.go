package httpserver

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"regexp"

	"github.com/gin-gonic/gin"
)

// traceHeader is the W3C Trace Context header.
const traceHeader = "traceparent"

var traceparent = regexp.MustCompile(`^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$`)

type traceKey struct{}

// withTrace takes the caller's trace id, or makes one, and shows it in the
// answer.
func withTrace(c *gin.Context) context.Context {
	var id string
	if m := traceparent.FindStringSubmatch(c.GetHeader(traceHeader)); m != nil {
		id = m[1]
	} else {
		id = randomHex(16)
	}
	c.Header("Trace-Id", id)
	return context.WithValue(c.Request.Context(), traceKey{}, id)
}

// TraceID gives the request's trace id, or "" outside of a request.
func TraceID(ctx context.Context) string {
	id, _ := ctx.Value(traceKey{}).(string)
	return id
}

// Traceparent is the header's value for a call made on behalf of ctx.
func Traceparent(ctx context.Context) string {
	id := TraceID(ctx)
	if id == "" {
		id = randomHex(16)
	}
	return "00-" + id + "-" + randomHex(8) + "-01"
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand.Read
	return hex.EncodeToString(b)
}
