package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"tandem/services/internal/telemetry"
	"tandem/services/test/collector"
)

func start(t *testing.T, o telemetry.Options) (trace.Tracer, func()) {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	p, stop, err := telemetry.Start(t.Context(), o)
	require.NoError(t, err)
	return p.Tracer("test"), stop
}

// Where and how spans are sent is for the flags alone to say.
func TestSpansReachTheCollectorThatTheFlagNames(t *testing.T) {
	t.Setenv("OTEL_TRACES_SAMPLER", "always_off")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret")
	t.Setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "0")
	c := collector.Start(t)

	tracer, stop := start(t, telemetry.Options{Endpoint: c.URL, Service: "booking", Version: "v1", Ratio: 1})
	ctx, root := tracer.Start(t.Context(), "root", trace.WithAttributes(attribute.String("a", "b"),
		attribute.String("client.address", "203.0.113.7"), attribute.String("user_agent.original", "Mozilla"),
		attribute.String("network.peer.address", "203.0.113.7"), attribute.Int("network.peer.port", 4711)))
	_, child := tracer.Start(ctx, "child")
	child.SetStatus(codes.Error, "no text to +15551234567")
	child.RecordError(errors.New("no text to +15551234567"))
	child.End()
	root.End()
	stop()

	require.NotContains(t, string(c.Raw()[0]), "1555")
	spans := c.Spans()
	require.Len(t, spans, 2)
	require.True(t, spans[1].Failed)
	require.Equal(t, "booking root", spans[0].Service+" "+spans[0].Name)
	require.Equal(t, map[string]string{"a": "b"}, spans[0].Attributes, "nobody's address or browser")
	require.Equal(t, spans[0].ID, spans[1].Parent)
}

func TestTheRatioIsOfTracesBegunHere(t *testing.T) {
	c := collector.Start(t)
	tracer, stop := start(t, telemetry.Options{Endpoint: c.URL})
	const recorded = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

	_, none := tracer.Start(t.Context(), "begun here")
	none.End()
	_, theirs := tracer.Start(telemetry.WithTraceparent(t.Context(), recorded), "continued")
	theirs.End()
	stop()

	require.Len(t, c.Spans(), 1)
	require.Equal(t, "continued", c.Spans()[0].Name)
	require.Equal(t, "b7ad6b7169203331", c.Spans()[0].Parent)
}

func TestOffIsNoProvider(t *testing.T) {
	p, stop, err := telemetry.Start(t.Context(), telemetry.Options{Ratio: 1})
	require.NoError(t, err)
	require.Nil(t, p)
	stop()
}

func TestWhatCannotBeIsRefused(t *testing.T) {
	for _, o := range []telemetry.Options{
		{Endpoint: "127.0.0.1:4318"}, {Endpoint: "ftp://x"}, {Endpoint: "http://"}, {Endpoint: "http://x", Ratio: 1.5}, {Endpoint: "http://x", Ratio: -1},
	} {
		_, _, err := telemetry.Start(t.Context(), o)
		require.Error(t, err, "%+v", o)
	}
}

// A collector that hangs, or refuses, delays no span's end; it is logged once.
func TestACollectorThatIsAwayDelaysNobody(t *testing.T) {
	var refused int
	released := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if refused == 3 {
			<-released
			return
		}
		refused++
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer srv.Close()
	defer close(released)

	var out bytes.Buffer
	tracer, stop := start(t, telemetry.Options{Endpoint: srv.URL, Ratio: 1, Log: slog.New(slog.NewTextHandler(&out, nil))})
	began := time.Now()
	for range 20_000 { // ten times the queue
		_, s := tracer.Start(context.Background(), "s")
		s.End()
	}
	require.Less(t, time.Since(began), 2*time.Second)
	stop()
	require.Less(t, time.Since(began), 5*time.Second, "the end of the process does not wait for it")
	require.Equal(t, 1, strings.Count(out.String(), "spans cannot be sent"), out.String())
}

func TestWhatIsInheritedGoesToTheParentsProvider(t *testing.T) {
	c := collector.Start(t)
	tracer, stop := start(t, telemetry.Options{Endpoint: c.URL, Ratio: 1, Service: "mine"})
	below := telemetry.Inherited{}.Tracer("below")

	_, nobody := below.Start(t.Context(), "without a parent")
	require.False(t, nobody.IsRecording())
	nobody.End()

	ctx, root := tracer.Start(t.Context(), "root")
	_, child := below.Start(ctx, "child")
	child.End()
	root.End()
	stop()

	require.Len(t, c.Spans(), 2)
	require.Equal(t, "mine child", c.Spans()[1].Service+" "+c.Spans()[1].Name)
}

// Each point is asked for its trace, and hardly one has one.
func TestWithoutATraceNothingIsAllocated(t *testing.T) {
	ctx := t.Context()
	require.Zero(t, testing.AllocsPerRun(1000, func() { _ = telemetry.Recorded(ctx) }))
}

func TestTraceparentTravels(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	ctx := telemetry.WithTraceparent(t.Context(), parent)
	require.Equal(t, parent, telemetry.Traceparent(ctx))
	require.Len(t, parent, 55)

	for _, wrong := range []string{"", "x", strings.Repeat("0", 55), parent[:54], "00-00000000000000000000000000000000-b7ad6b7169203331-01"} {
		require.Empty(t, telemetry.Traceparent(telemetry.WithTraceparent(t.Context(), wrong)), wrong)
	}

	h := http.Header{"Traceparent": {"theirs"}, "Tracestate": {"theirs=1"}}
	telemetry.PassOn(ctx, h)
	require.Equal(t, http.Header{"Traceparent": {parent}}, h)
	telemetry.PassOn(t.Context(), h)
	require.Empty(t, h)
}
