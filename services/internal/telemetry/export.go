package telemetry

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// redactingExporter removes what must not leave the process, and logs the collector's
// failures: once when they begin, and once when they end.
type redactingExporter struct {
	next     sdk.SpanExporter
	log      *slog.Logger
	endpoint string
	failing  atomic.Bool
}

// ExportSpans implements sdk.SpanExporter. It returns no error, which the SDK would
// print each time.
func (e *redactingExporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	out := make([]sdk.ReadOnlySpan, len(spans))
	for i, s := range spans {
		out[i] = redactedSpan{s}
	}

	err := e.next.ExportSpans(ctx, out)
	switch was := e.failing.Swap(err != nil); {
	case err != nil && !was:
		e.log.Warn("spans cannot be sent, and are dropped until they can", "endpoint", e.endpoint, "err", err)
	case err == nil && was:
		e.log.Info("spans are sent again", "endpoint", e.endpoint)
	}
	return nil
}

// Shutdown implements sdk.SpanExporter.
func (e *redactingExporter) Shutdown(ctx context.Context) error { return e.next.Shutdown(ctx) }

// personal are the attributes that otelgin sets of a person's device and of a path, in
// which a stranger may write anything. A trace is kept and shown elsewhere than the data
// of riders and drivers, and is erased with none of it.
func personal() []attribute.Key {
	return []attribute.Key{"client.address", "network.peer.address", "network.peer.port", "user_agent.original", "url.path"}
}

// redactedSpan is a span without personal attributes, and without an error's text, which may
// quote what it is about: SNS's names the phone number. The log has the text.
type redactedSpan struct{ sdk.ReadOnlySpan }

func (r redactedSpan) Attributes() []attribute.KeyValue {
	return without(r.ReadOnlySpan.Attributes(), personal()...)
}

func (r redactedSpan) Status() sdk.Status { return sdk.Status{Code: r.ReadOnlySpan.Status().Code} }

func (r redactedSpan) Events() []sdk.Event {
	events := slices.Clone(r.ReadOnlySpan.Events())
	for i := range events {
		events[i].Attributes = without(events[i].Attributes, "exception.message", "exception.stacktrace")
	}
	return events
}

func without(all []attribute.KeyValue, keys ...attribute.Key) []attribute.KeyValue {
	return slices.DeleteFunc(slices.Clone(all), func(kv attribute.KeyValue) bool { return slices.Contains(keys, kv.Key) })
}
