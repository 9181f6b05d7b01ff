package httpserver_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/telemetry"
)

const callersTrace, callersSpan = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

// traced asks a server for its routes, and returns the spans and the answers' headers.
func traced(t *testing.T, o httpserver.Options, requests ...*http.Request) ([]sdk.ReadOnlySpan, []http.Header) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	o.Name = "test"
	o.Env = lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
		Traces: sdk.NewTracerProvider(sdk.WithSpanProcessor(spans), sdk.WithSampler(sdk.ParentBased(sdk.AlwaysSample())))}
	for _, path := range []string{"/rides/:id", "/often", "/stream"} {
		o.Routes = append(o.Routes, httpserver.Route{Method: http.MethodPost, Path: path, Public: true, Stream: path == "/stream",
			TraceOneIn: map[string]int{"/often": 1 << 40}[path], Handle: func(c *gin.Context) error {
				c.String(http.StatusOK, httpclient.TraceID(c.Request.Context()))
				return nil
			}})
	}
	h, err := httpserver.NewHandler(t.Context(), o)
	require.NoError(t, err)

	var headers []http.Header
	for _, r := range requests {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		headers = append(headers, w.Header())
	}
	return spans.Ended(), headers
}

func request(path, flags string) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, strings.NewReader(""))
	if flags != "" {
		r.Header.Set(telemetry.Header, "00-"+callersTrace+"-"+callersSpan+"-"+flags)
	}
	return r
}

func TestARequestIsASpanOfItsCallersTrace(t *testing.T) {
	spans, headers := traced(t, httpserver.Options{}, request("/rides/r1", "01"))
	require.Len(t, spans, 1)
	require.Equal(t, "POST /rides/:id", spans[0].Name())
	require.Equal(t, callersSpan, spans[0].Parent().SpanID().String())
	require.Equal(t, callersTrace, headers[0].Get("Trace-Id"), "the log's trace is the span's")
}

func TestACallerThatRecordsNothingIsFollowed(t *testing.T) {
	spans, headers := traced(t, httpserver.Options{}, request("/rides/r1", "00"))
	require.Empty(t, spans)
	require.Equal(t, callersTrace, headers[0].Get("Trace-Id"))
}

// What a stranger sends neither joins a trace nor decides that one is recorded.
func TestAStrangersTraceIsNotOurs(t *testing.T) {
	for _, flags := range []string{"00", "01"} {
		spans, headers := traced(t, httpserver.Options{Outside: true}, request("/rides/r1", flags))
		require.Len(t, spans, 1)
		require.False(t, spans[0].Parent().IsValid())
		require.NotEqual(t, callersTrace, headers[0].Get("Trace-Id"))
		require.Equal(t, spans[0].SpanContext().TraceID().String(), headers[0].Get("Trace-Id"))
	}
}

// Points come a thousand a second, and a stream lasts as long as a browser's tab.
func TestWhatComesTooOftenOrNeverEndsBeginsNoTrace(t *testing.T) {
	events, socket := request("/rides/r1", ""), request("/rides/r1", "")
	events.Header.Set("Accept", "text/event-stream")
	socket.Header.Set("Upgrade", "websocket")
	untraced := func(r *http.Request) bool { return r.URL.Path == "/rides/unseen" }

	spans, _ := traced(t, httpserver.Options{Untraced: untraced}, request("/often", ""), request("/stream", "01"), request("/rides/unseen", ""), events, socket)
	require.Empty(t, spans)
	spans, _ = traced(t, httpserver.Options{}, request("/often", "01"))
	require.Len(t, spans, 1, "its caller's trace has it")
}
