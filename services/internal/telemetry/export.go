package telemetry

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// exporting keeps to itself what must not leave the process, and logs the collector's
// failures: once when they begin, and once when they end.
type exporting struct {
	next     sdk.SpanExporter
	log      *slog.Logger
	endpoint string
	failing  atomic.Bool
}

// ExportSpans implements sdk.SpanExporter. It returns no error, which the SDK would
// print each time.
func (e *exporting) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	out := make([]sdk.ReadOnlySpan, len(spans))
	for i, s := range spans {
		out[i] = nameless{s}
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
func (e *exporting) Shutdown(ctx context.Context) error { return e.next.Shutdown(ctx) }

// personal are the attributes of a person's device that otelgin sets. A trace is kept
// and shown elsewhere than the data of riders and drivers, and is erased with none of it.
func personal() []attribute.Key {
	return []attribute.Key{"client.address", "network.peer.address", "network.peer.port", "user_agent.original"}
}

// nameless is a span without personal attributes.
type nameless struct{ sdk.ReadOnlySpan }

func (n nameless) Attributes() []attribute.KeyValue {
	return slices.DeleteFunc(slices.Clone(n.ReadOnlySpan.Attributes()), func(kv attribute.KeyValue) bool {
		return slices.Contains(personal(), kv.Key)
	})
}
