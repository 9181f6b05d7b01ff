package httpclient

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tandem/services/internal/telemetry"
)

func TestARequestIsASpanThatItsHeaderNames(t *testing.T) {
	var header string
	c := serve(t, Options{}, func(_ http.ResponseWriter, r *http.Request) { header = r.Header.Get(telemetry.Header) })
	spans := tracetest.NewSpanRecorder()
	ctx, root := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans)).Tracer("test").Start(t.Context(), "root")

	_, err := c.Once(ctx, Request{Method: http.MethodGet, Path: "/near?lat=-34.9&lon=-56.1"})
	require.NoError(t, err)
	require.Len(t, spans.Ended(), 1)
	span := spans.Ended()[0]
	require.Equal(t, root.SpanContext().SpanID(), span.Parent().SpanID())
	require.Equal(t, "00-"+root.SpanContext().TraceID().String()+"-"+span.SpanContext().SpanID().String()+"-01", header)
	for _, a := range span.Attributes() {
		require.NotContains(t, a.Value.String(), "34.9", "it says where a person is")
	}
}

// The trace id of the logs goes on, but nobody is to record anything for it.
func TestALogsTraceIsNotRecorded(t *testing.T) {
	var header string
	c := serve(t, Options{}, func(_ http.ResponseWriter, r *http.Request) { header = r.Header.Get(telemetry.Header) })
	id := strings.Repeat("ab", 16)
	_, err := c.Once(WithTraceID(t.Context(), id), Request{Method: http.MethodGet, Path: "/"})
	require.NoError(t, err)
	require.Regexp(t, "^00-"+id+"-[0-9a-f]{16}-00$", header)
}
