package httpserver

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"regexp"

	"github.com/gin-gonic/gin"

	"tandem/services/internal/httpclient"
)

var traceparent = regexp.MustCompile(`^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$`)

// withTrace takes the caller's trace id, or draws one, and shows it in the
// answer. Requests that an httpclient sends for this one carry it on.
func withTrace(c *gin.Context) context.Context {
	var id string
	if m := traceparent.FindStringSubmatch(c.GetHeader(httpclient.TraceHeader)); m != nil {
		id = m[1]
	} else {
		id = newTraceID()
	}

	c.Header("Trace-Id", id)
	return httpclient.WithTraceID(c.Request.Context(), id)
}

func newTraceID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)
}
