package httpclient

import (
	"context"
	"crypto/rand"
	"encoding/hex"
)

// TraceHeader is the W3C Trace Context header.
const TraceHeader = "traceparent"

type traceKey struct{}

// WithTraceID returns a context whose requests carry the trace id (32 hex
// digits) on to the next service.
func WithTraceID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, traceKey{}, id)
}

// TraceID returns what WithTraceID put into ctx, or "".
func TraceID(ctx context.Context) string {
	id, _ := ctx.Value(traceKey{}).(string)
	return id
}

// traceparent is the header's value: each request is a span of its own.
func traceparent(traceID string) string {
	span := make([]byte, 8)
	_, _ = rand.Read(span) // never fails: crypto/rand.Read
	return "00-" + traceID + "-" + hex.EncodeToString(span) + "-01"
}
