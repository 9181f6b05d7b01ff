// Package telemetry sends a process's spans to an OpenTelemetry collector, by OTLP
// over HTTP (https://opentelemetry.io/docs/specs/otlp/). Without an endpoint there is
// no provider, and nothing is recorded.
//
// Who begins a trace needs the provider: httpserver for a request, a service for a
// message or a record. Everybody below continues what is in the context (Inherited),
// so that a long poll or a sweep, which nobody asked for, makes no trace.
//
// A trace travels as W3C traceparent (https://www.w3.org/TR/trace-context/):
// version, trace id, span id and flags, 55 bytes. Baggage and tracestate, which have
// room for anybody's text, are neither read nor sent.
//
// A collector that is away delays nobody: spans wait in a bounded queue, and those that
// find it full are dropped.
package telemetry
