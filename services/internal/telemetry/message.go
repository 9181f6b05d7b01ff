package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Message returns the attributes of a span about one message on SQS:
// https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/.
func Message(queue, id, operation string) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("messaging.system", "aws_sqs"), attribute.String("messaging.destination.name", queue),
		attribute.String("messaging.message.id", id), attribute.String("messaging.operation.name", operation),
		attribute.String("messaging.operation.type", operation),
	}
}

// Receive is one receive of a message.
type Receive struct {
	Queue, ID, Traceparent string
	Receives               int // this is the nth
}

// Begin begins the span of a receive, which EndReceive ends. A message that carries no
// recorded trace, or a nil provider, makes none.
//
// The span's parent is the span in which the message was added, for every receive: one
// message is handled at a time, and so one trace shows all tries in a row. A receive that
// is not the first also has a link to that span, by which it is found among others. It is
// not linked to the try before: a worker that died has sent no span of it.
func (r Receive) Begin(ctx context.Context, provider trace.TracerProvider) context.Context {
	if provider == nil {
		return ctx
	}

	from := WithTraceparent(ctx, r.Traceparent)
	sender := trace.SpanContextFromContext(from)
	if !sender.IsSampled() {
		return ctx
	}

	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(Message(r.Queue, r.ID, "process")...), trace.WithAttributes(attribute.Int("tandem.receives", r.Receives))}
	if r.Receives > 1 {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: sender}))
	}

	ctx, _ = provider.Tracer("tandem/messages").Start(from, "process "+r.Queue, options...)
	return ctx
}

// EndReceive ends the span of a receive, and says what became of the message.
func EndReceive(ctx context.Context, outcome string, failed bool) {
	span := trace.SpanFromContext(ctx)
	span.SetAttributes(attribute.String("tandem.outcome", outcome))
	if failed {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
