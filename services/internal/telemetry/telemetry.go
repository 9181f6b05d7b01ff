package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Options say where spans go.
type Options struct {
	// Endpoint is the collector's base URL, such as http://127.0.0.1:4318; spans are
	// posted to /v1/traces beneath. Empty: off.
	Endpoint         string
	Service, Version string
	// Ratio is the share of the traces begun here that are recorded, 0 to 1. A trace
	// that another process began is recorded if it is recorded there.
	Ratio float64
	Log   *slog.Logger
}

// The exporter sends every sendEvery, or when batch spans wait; of more than queue
// waiting spans the new ones are dropped. queue spans take about 2 MB.
const (
	sendEvery  = 2 * time.Second
	sendWithin = 5 * time.Second
	batch      = 256
	queue      = 2048
	closing    = 2 * time.Second // what a process that ends may take to send the rest
)

// Start returns the provider of this process's spans, and stop, which sends what is
// left within 2 s. With no endpoint the provider is nil.
func Start(ctx context.Context, o Options) (provider trace.TracerProvider, stop func(), err error) {
	if o.Endpoint == "" {
		return nil, func() {}, nil
	}

	if o.Ratio < 0 || o.Ratio > 1 {
		return nil, nil, fmt.Errorf("telemetry: the ratio %v is not between 0 and 1", o.Ratio)
	}

	client, err := newClient(o.Endpoint)
	if err != nil {
		return nil, nil, err
	}

	exporter, err := otlptrace.New(ctx, client)
	if err != nil {
		return nil, nil, fmt.Errorf("telemetry: %w", err)
	}

	// Each setting is given: what is not would be read from OTEL_* variables, behind the
	// back of whoever reads our flags.
	p := sdk.NewTracerProvider(
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", o.Service), attribute.String("service.version", o.Version))),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(o.Ratio))),
		sdk.WithRawSpanLimits(sdk.SpanLimits{
			AttributeValueLengthLimit: 2048, AttributeCountLimit: 64, EventCountLimit: 32, LinkCountLimit: 32,
			AttributePerEventCountLimit: 16, AttributePerLinkCountLimit: 16,
		}),
		sdk.WithBatcher(&redactingExporter{next: exporter, log: o.Log, endpoint: o.Endpoint}, sdk.WithBatchTimeout(sendEvery),
			sdk.WithExportTimeout(sendWithin), sdk.WithMaxExportBatchSize(batch), sdk.WithMaxQueueSize(queue)),
	)

	return p, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			o.Log.Warn("the last spans were not sent", "err", err)
		}
	}, nil
}

// newClient returns the sender of spans to a collector.
func newClient(endpoint string) (otlptrace.Client, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("telemetry: the OTLP endpoint cannot be read; it looks like http://127.0.0.1:4318")
	}

	// No retry: the batch behind is waiting, and a span is worth no memory.
	return otlptracehttp.NewClient(
		otlptracehttp.WithEndpointURL(u.JoinPath("/v1/traces").String()), otlptracehttp.WithHeaders(map[string]string{}),
		otlptracehttp.WithTimeout(sendWithin), otlptracehttp.WithCompression(otlptracehttp.GzipCompression),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}),
	), nil
}
