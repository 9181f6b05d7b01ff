package ride_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tandem/services/domain/ride"
)

// Nobody asks the sweeper: what it does is seen in the ride's trace all the same.
func TestTheSweepersActsAreInTheRidesTrace(t *testing.T) {
	t.Parallel()
	s, pool := newStore(t)
	spans := tracetest.NewSpanRecorder()
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
	ctx, booked := provider.Tracer("test").Start(t.Context(), "book")
	traced, _, err := s.Create(ctx, booking("p1", "k"))
	require.NoError(t, err)
	booked.End()
	create(t, s, "p2", "k") // nobody records this one

	_, err = pool.Exec(t.Context(), `UPDATE ride.outbox SET sent_at = now()`)
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), `UPDATE ride.rides SET wake_at = now() - interval '1 second'`)
	require.NoError(t, err)
	swept, err := s.Traced(provider).Sweep(t.Context(), emptyQueue)
	require.NoError(t, err)
	require.Equal(t, ride.Swept{Requeued: 2}, swept)

	acts := slices.DeleteFunc(spans.Ended(), func(s trace.ReadOnlySpan) bool { return s.Name() != "ride requeue" })
	require.Len(t, acts, 1)
	require.Equal(t, booked.SpanContext().SpanID(), acts[0].Parent().SpanID())
	require.Equal(t, traced.ID, acts[0].Attributes()[0].Value.AsString())
}
