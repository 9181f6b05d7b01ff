package ride

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tandem/services/domain/event"
	"tandem/services/internal/queue/outbox"
	"tandem/services/internal/telemetry"
)

// A ride is one trace, from its booking to its last SMS: the ride keeps the context in
// which it was booked, and every act on it is a span of that trace, whoever acts. A
// driver's app that accepts has sent a request of its own: the act is linked to it.

const tracerName = "tandem/ride"

// idAttribute is the ride's id on spans.
func idAttribute(id string) attribute.KeyValue { return attribute.String(event.SpanRideID, id) }

// booked notes the ride's id on the span of the request that booked it.
func booked(ctx context.Context, id string) {
	trace.SpanFromContext(ctx).SetAttributes(idAttribute(id))
}

// beginAct begins the span of an act on r in the ride's trace. Without a span in ctx, as
// the sweeper has none, there is one only of a Store that is Traced; messages that the
// act adds are part of the ride's trace all the same.
func (s *Store) beginAct(ctx context.Context, r Ride, a Action) (context.Context, trace.Span) {
	here := trace.SpanFromContext(ctx)
	if r.traceparent == "" {
		return ctx, trace.SpanFromContext(context.Background()) // records nothing
	}

	provider := here.TracerProvider()
	if s.traces != nil && !here.SpanContext().IsValid() {
		provider = s.traces
	}

	options := []trace.SpanStartOption{trace.WithAttributes(idAttribute(r.ID), attribute.Int("tandem.ride.attempt", r.Attempt))}
	rides := telemetry.WithTraceparent(ctx, r.traceparent)
	if whole := trace.SpanContextFromContext(rides); whole.TraceID() != here.SpanContext().TraceID() {
		ctx = rides
		if here.SpanContext().IsValid() {
			options = append(options, trace.WithLinks(trace.Link{SpanContext: here.SpanContext()}))
			here.AddLink(trace.Link{SpanContext: whole})
			here.SetAttributes(idAttribute(r.ID))
		}
	}
	return provider.Tracer(tracerName).Start(ctx, "ride "+string(a.Kind), options...)
}

// attributes are those of a message that is added in ctx.
func attributes(ctx context.Context) map[string]string {
	if parent := telemetry.Recorded(ctx); parent != "" {
		return map[string]string{telemetry.Header: parent}
	}
	return nil
}

// TraceSent returns OnSent which also makes of each message that was sent a span of its
// trace: from when its row was added to when SQS had it. Without a provider it is OnSent.
func TraceSent(provider trace.TracerProvider) func(context.Context, pgx.Tx, []outbox.Sent) error {
	if provider == nil {
		return OnSent
	}
	tracer := provider.Tracer(tracerName)

	return func(ctx context.Context, tx pgx.Tx, sent []outbox.Sent) error {
		if err := OnSent(ctx, tx, sent); err != nil {
			return err
		}
		return traceSent(ctx, tx, tracer, sent)
	}
}

func traceSent(ctx context.Context, tx pgx.Tx, tracer trace.Tracer, sent []outbox.Sent) error {
	byID := map[string]outbox.Sent{}
	for _, m := range sent {
		byID[m.ID] = m
	}
	rows, err := tx.Query(ctx, `SELECT id::text, attributes->>$2, added_at FROM ride.outbox WHERE id = ANY($1::uuid[]) AND attributes ? $2`,
		slices.Collect(maps.Keys(byID)), telemetry.Header)
	if err != nil {
		return fmt.Errorf("ride: trace of what was sent: %w", err)
	}

	var id, parent string
	var added time.Time
	_, err = pgx.ForEachRow(rows, []any{&id, &parent, &added}, func() error {
		m := byID[id]
		_, span := tracer.Start(telemetry.WithTraceparent(ctx, parent), "send "+m.Queue, trace.WithTimestamp(added),
			trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(idAttribute(m.Key)),
			trace.WithAttributes(telemetry.Message(m.Queue, m.MessageID, "send")...))
		span.End()
		return nil
	})
	if err != nil {
		return fmt.Errorf("ride: trace of what was sent: %w", err)
	}
	return nil
}
