package telemetry

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
)

// Header is the W3C Trace Context header, and the name of the message attribute that
// carries the same.
const Header = "traceparent"

// Traceparent returns the header's value for the span of ctx, or "" where there is
// none.
func Traceparent(ctx context.Context) string {
	c := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, c)
	return c[Header]
}

// Recorded is Traceparent where the span is recorded, and else "": what is stored or
// sent beside a message is not worth its bytes for a trace that nobody will see.
func Recorded(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ""
	}
	return Traceparent(ctx)
}

// WithTraceparent returns a context whose spans continue the trace that parent names;
// ctx itself where that is no traceparent.
func WithTraceparent(ctx context.Context, parent string) context.Context {
	if parent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{Header: parent})
}

// Propagator is an OpenTelemetry propagator of traceparent alone. One that is Outside
// reads nothing: what a stranger sends must not decide what is recorded, nor join a
// trace that it has guessed.
type Propagator struct{ Outside bool }

// Inject implements propagation.TextMapPropagator.
func (Propagator) Inject(ctx context.Context, c propagation.TextMapCarrier) {
	if parent := Traceparent(ctx); parent != "" {
		c.Set(Header, parent)
	}
}

// Extract implements propagation.TextMapPropagator.
func (p Propagator) Extract(ctx context.Context, c propagation.TextMapCarrier) context.Context {
	if p.Outside {
		return ctx
	}
	return WithTraceparent(ctx, c.Get(Header))
}

// Fields implements propagation.TextMapPropagator.
func (Propagator) Fields() []string { return []string{Header} }

// PassOn sets the header of a request that is sent for the span of ctx, and removes
// another's.
func PassOn(ctx context.Context, h http.Header) {
	h.Del(Header)
	h.Del("tracestate")
	Propagator{}.Inject(ctx, propagation.HeaderCarrier(h))
}

// Inherited is a provider for those below whoever begins a trace: a span goes to the
// provider of its parent, and one without a parent to nobody.
type Inherited struct{ embedded.TracerProvider }

// Tracer implements trace.TracerProvider.
func (Inherited) Tracer(name string, o ...trace.TracerOption) trace.Tracer {
	return inheriting{name: name, options: o}
}

type inheriting struct {
	embedded.Tracer
	name    string
	options []trace.TracerOption
}

// Start implements trace.Tracer.
func (t inheriting) Start(ctx context.Context, span string, o ...trace.SpanStartOption) (context.Context, trace.Span) {
	return trace.SpanFromContext(ctx).TracerProvider().Tracer(t.name, t.options...).Start(ctx, span, o...)
}
