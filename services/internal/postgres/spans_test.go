package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tandem/services/test/testenv"
)

func TestAStatementIsASpanWithoutItsParameters(t *testing.T) {
	_, pool := testenv.Database(t)
	spans := tracetest.NewSpanRecorder()
	ctx, root := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans)).Tracer("test").Start(t.Context(), "root")

	_, err := pool.Exec(t.Context(), "SELECT $1::text", "nobody asked for it")
	require.NoError(t, err)
	require.Len(t, spans.Started(), 1)
	_, err = pool.Exec(ctx, "SELECT $1::text", "+15551234567")
	require.NoError(t, err)

	var texts []string
	for _, s := range spans.Ended() {
		require.Equal(t, root.SpanContext().TraceID(), s.SpanContext().TraceID())
		for _, a := range s.Attributes() {
			require.NotContains(t, a.Value.String(), "1555")
			if a.Key == "db.query.text" {
				texts = append(texts, a.Value.AsString())
			}
		}
	}
	require.Contains(t, texts, "SELECT $1::text")
}
