// Package collector is an OpenTelemetry collector for tests, in the test's own process:
// it takes spans by OTLP over HTTP, as protobuf, and keeps them.
package collector

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	collect "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	wire "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is one span as it arrived.
type Span struct {
	Service, Name, Kind string   // Kind as in SPAN_KIND_SERVER
	Trace, ID, Parent   string   // in hex; Parent is empty for a root
	Links               []string // the ids of the spans that it is linked to
	LinkedTraces        []string // and their traces
	Attributes          map[string]string
	Start, End          uint64 // ns since 1970 UTC
	Failed              bool
	Status              string
}

// Collector keeps the spans that it was sent. It is safe for concurrent use.
type Collector struct {
	URL string

	mu    sync.Mutex
	spans []Span
	raw   [][]byte
}

// Start starts a collector that ends with the test.
func Start(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "POST /v1/traces", r.Method+" "+r.URL.Path)
		assert.Equal(t, "application/x-protobuf", r.Header.Get("Content-Type"))

		if !assert.NoError(t, c.take(r)) {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(srv.Close)
	c.URL = srv.URL
	return c
}

func (c *Collector) take(r *http.Request) error {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return err
		}
		body = z
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var in collect.ExportTraceServiceRequest
	if err := proto.Unmarshal(b, &in); err != nil {
		return err
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw = append(c.raw, b)
	for _, resource := range in.ResourceSpans {
		service := attributes(resource.GetResource().GetAttributes())["service.name"]
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				c.spans = append(c.spans, span(service, s))
			}
		}
	}
	return nil
}

func span(service string, s *wire.Span) Span {
	out := Span{
		Service: service, Name: s.Name, Kind: s.Kind.String(), Attributes: attributes(s.Attributes),
		Trace: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId),
		Start: s.StartTimeUnixNano, End: s.EndTimeUnixNano,
		Failed: s.GetStatus().GetCode() == wire.Status_STATUS_CODE_ERROR, Status: s.GetStatus().GetMessage(),
	}
	for _, l := range s.Links {
		out.Links = append(out.Links, hex.EncodeToString(l.SpanId))
		out.LinkedTraces = append(out.LinkedTraces, hex.EncodeToString(l.TraceId))
	}
	return out
}

func attributes(in []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, kv := range in {
		switch v := kv.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			out[kv.Key] = v.StringValue
		default:
			out[kv.Key] = kv.GetValue().String()
		}
	}
	return out
}

// Spans returns what has arrived so far, in the order in which the spans began.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()

	out := slices.Clone(c.spans)
	slices.SortStableFunc(out, func(a, b Span) int { return int(int64(a.Start) - int64(b.Start)) })
	return out
}

// Raw returns the bodies that have arrived, as protobuf.
func (c *Collector) Raw() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.raw)
}
