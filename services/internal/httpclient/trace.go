package httpclient

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"tandem/services/internal/telemetry"
)

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

// beginSpan makes the request a span of the trace in its context, and sets its header.
// Without a trace it carries the trace id of the logs, if there is one. The caller calls
// answered with the head of the answer, or nil.
func beginSpan(req *http.Request) (_ *http.Request, answered func(*http.Response)) {
	ctx := req.Context()
	if !trace.SpanContextFromContext(ctx).IsValid() {
		if id := TraceID(ctx); id != "" {
			req.Header.Set(telemetry.Header, unrecorded(id))
		}
		return req, func(*http.Response) {}
	}

	// Of the URL the host alone: a path has ids, and a query may say where a person is.
	ctx, span := telemetry.Inherited{}.Tracer("tandem/httpclient").Start(ctx, req.Method, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("http.request.method", req.Method), attribute.String("server.address", req.URL.Host)))
	req = req.WithContext(ctx)
	telemetry.PassOn(ctx, req.Header)

	return req, func(resp *http.Response) {
		if resp == nil {
			span.SetStatus(codes.Error, "no answer")
		} else if span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode)); resp.StatusCode >= http.StatusBadRequest {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// unrecorded is the header of a trace that is in the logs alone (flags 00): whoever is
// asked must not record its part of it.
func unrecorded(traceID string) string {
	span := make([]byte, 8)
	_, _ = rand.Read(span) // never fails: crypto/rand.Read
	return "00-" + traceID + "-" + hex.EncodeToString(span) + "-00"
}
