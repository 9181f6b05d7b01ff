package points

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tandem/services/domain/event"
	"tandem/services/internal/telemetry"
)

// traced makes a span of a point that carries a trace: from its arrival on the stream to
// now, when this reader has applied it. It is a child of the request that brought the
// point, so that one trace shows every reader, and linked to it, as a message is that came
// in a batch with others. Most points carry none, and cost a comparison.
func traced(provider trace.TracerProvider, a Arrival, now time.Time) {
	if a.trace == "" || provider == nil {
		return
	}
	ctx := telemetry.WithTraceparent(context.Background(), a.trace)
	sender := trace.SpanContextFromContext(ctx)
	if !sender.IsSampled() {
		return
	}

	// The two clocks may differ, and a span that ends before it begins is shown nowhere.
	began := a.Arrived
	if began.After(now) {
		began = now
	}
	_, span := provider.Tracer("tandem/points").Start(ctx, "process "+event.Stream, trace.WithTimestamp(began),
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(trace.Link{SpanContext: sender}), trace.WithAttributes(
			attribute.String("messaging.system", "aws_kinesis"), attribute.String("messaging.destination.name", event.Stream),
			attribute.String("messaging.operation.type", "process"), attribute.String("messaging.destination.partition.id", a.Shard)))
	span.End(trace.WithTimestamp(now))
}
