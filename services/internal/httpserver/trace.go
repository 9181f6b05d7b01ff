package httpserver

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	mathrand "math/rand/v2"
	"net/http"
	"regexp"
	"strings"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"

	"tandem/services/internal/httpclient"
	"tandem/services/internal/telemetry"
)

// readsOneIn is how many reads there are for each that begins a trace: pages ask for
// the same thing every second.
const readsOneIn = 100

// spans returns the middleware that makes each traced request a span.
func (s *server) spans(routes []Route) gin.HandlerFunc {
	oneIn, streams := map[string]int{}, map[string]bool{}
	for _, r := range routes {
		oneIn[r.Method+" "+r.Path], streams[r.Path] = r.TraceOneIn, r.Stream
	}

	return otelgin.Middleware(s.Name,
		otelgin.WithTracerProvider(s.Env.Traces), otelgin.WithMeterProvider(noop.NewMeterProvider()),
		otelgin.WithPropagators(telemetry.Propagator{Outside: s.Outside}),
		otelgin.WithSpanNameFormatter(func(c *gin.Context) string {
			return strings.TrimSpace(c.Request.Method + " " + c.FullPath())
		}),
		otelgin.WithGinFilter(func(c *gin.Context) bool {
			switch r := c.Request; {
			case streams[c.FullPath()] || endless(r) || s.Untraced != nil && s.Untraced(r):
				return false // the span of a stream would end with the browser's tab
			case !s.Outside && c.GetHeader(telemetry.Header) != "":
				return true // whoever began the trace has decided
			case r.Method == http.MethodGet || r.Method == http.MethodHead:
				return mathrand.IntN(readsOneIn) == 0
			}
			return mathrand.IntN(max(1, oneIn[c.Request.Method+" "+c.FullPath()])) == 0
		}))
}

// endless reports whether a request asks for an answer without an end of its own.
func endless(r *http.Request) bool {
	return r.Header.Get("Upgrade") != "" || strings.HasPrefix(r.Header.Get("Accept"), "text/event-stream")
}

var traceparent = regexp.MustCompile(`^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$`)

// withTrace shows the request's trace id in the answer, and has the log name it. It is
// the span's; where there is none, the caller's or a new one. Requests that an
// httpclient sends for this one carry it on.
func withTrace(c *gin.Context) context.Context {
	var id string
	if span := trace.SpanContextFromContext(c.Request.Context()); span.IsValid() {
		id = span.TraceID().String()
	} else if m := traceparent.FindStringSubmatch(c.GetHeader(telemetry.Header)); m != nil {
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
