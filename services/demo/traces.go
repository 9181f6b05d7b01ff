package demo

import (
	"context"
	"net"
	"strconv"
	"time"
)

// usualCollector is where an OpenTelemetry collector listens for OTLP over HTTP:
// https://opentelemetry.io/docs/specs/otlp/#otlphttp-default-port.
const usualCollector = "127.0.0.1:4318"

// traceEnviron is what a process is told of where its spans go.
func (o Options) traceEnviron() []string {
	if o.OTLPEndpoint == "" {
		return nil
	}
	return []string{"TANDEM_OTLP_ENDPOINT=" + o.OTLPEndpoint, "TANDEM_TRACE_RATIO=" + strconv.FormatFloat(o.TraceRatio, 'g', -1, 64)}
}

// tellTraces says where spans go; or, if they go nowhere and a collector is at hand, how
// it gets them.
func (d *demo) tellTraces(ctx context.Context) {
	switch {
	case d.OTLPEndpoint != "":
		d.screen.row("Traces", "are sent to "+d.OTLPEndpoint)
	case listens(ctx, usualCollector):
		d.screen.row("Traces", "TANDEM_OTLP_ENDPOINT=http://"+usualCollector+" make demo")
	}
}

// listens reports whether somebody accepts connections at an address of this machine.
func listens(ctx context.Context, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()

	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}
