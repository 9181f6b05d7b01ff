package main

const (
	telemetryDir = "services/internal/telemetry/"
	rideTrace    = "services/domain/ride/trace.go"
	oneTrace     = "services/test/traces"
)

// traces are bugs of what a collector gets.
func traces() []mutant {
	return []mutant{
		{
			name: "a message does not carry its trace", file: rideTrace, packages: []string{oneTrace},
			before: `if parent := telemetry.Recorded(ctx); parent != "" {`, after: `if parent := telemetry.Recorded(ctx); parent == "x" {`,
		},
		{
			name: "an act is part of whoever's trace acts, not of the ride's", file: rideTrace, packages: []string{oneTrace},
			before: "\t\tctx = rides\n", after: "",
		},
		{
			name: "an act is not linked to the request that it came by", file: rideTrace, packages: []string{oneTrace},
			before: "if here.SpanContext().IsValid() {", after: "if false {",
		},
		{
			name: "a second receive is not linked", file: telemetryDir + "message.go", packages: []string{oneTrace},
			before: "if r.Receives > 1 {", after: "if false {",
		},
		{
			name: "a statement's span has its parameters", file: "services/internal/postgres/spans.go", packages: []string{oneTrace},
			before: "otelpgx.WithDisableAcquireTracer(), ", after: "otelpgx.WithDisableAcquireTracer(), otelpgx.WithIncludeQueryParameters(), ",
		},
		{
			name: "spans name a person's address", file: telemetryDir + "export.go",
			before: `"client.address", `, after: "",
		},
		{
			name: "an error's text leaves the process", file: telemetryDir + "export.go",
			before: "sdk.Status{Code: r.ReadOnlySpan.Status().Code}", after: "r.ReadOnlySpan.Status()",
		},
		{
			name: "a collector that is away is logged each time", file: telemetryDir + "export.go",
			before: "case err != nil && !was:", after: "case err != nil:",
		},
		{
			name: "a stranger joins a trace at the gateway", file: telemetryDir + "context.go", packages: []string{"services/internal/httpserver"},
			before: "if p.Outside {", after: "if false {",
		},
		{
			name: "the gateway passes on a stranger's trace", file: "services/gateway/proxy.go",
			before: "if g.env.Traces != nil {", after: "if false {", tests: "TestTheGatewayPassesOnItsOwnTrace",
		},
		{
			name: "a log's trace is recorded by whoever is asked", file: "services/internal/httpclient/trace.go",
			before: `+ "-00"`, after: `+ "-01"`,
		},
		{
			name: "a trace's bytes are not counted", file: "services/internal/stream/kpl/aggregate.go", tests: "TestAggregateLimit",
			before: "\tif trace != \"\" {\n\t\tsize +=", after: "\tif false {\n\t\tsize +=",
		},
		{
			name: "anybody's tag is a trace", file: "services/internal/stream/kpl/parse.go", tests: "TestTags",
			before: "if err != nil || !named {", after: "if err != nil || len(b) < 0 && !named {",
		},
		{
			name: "each item of a Put carries its trace", file: "services/internal/stream/kinesisproducer/put.go", tests: "TestTheFirst",
			before: `trace = "" // one of a batch is enough`, after: "",
		},
		{
			name: "a trace for which no room was kept", file: "services/internal/stream/kinesisproducer/put.go", tests: "TestTheFirst",
			before: "len(t) == traceparent", after: `t != ""`,
		},
		{
			name: "a reader does not see what its points carry", file: "services/internal/stream/shardreader/unpack.go", packages: []string{oneTrace}, tests: "TestASampled",
			before: "out[i].Data, out[i].Trace = u.Sub, u.Key, u.Data, u.Trace", after: "out[i].Data = u.Sub, u.Key, u.Data",
		},
		{
			name: "a reader's span is not linked", file: "services/domain/points/trace.go", packages: []string{oneTrace}, tests: "TestASampled",
			before: "trace.WithLinks(trace.Link{SpanContext: sender}), ", after: "",
		},
		{
			name: "a queue's count of earlier is a metric of now", file: "services/console/metrics.go", tests: "TestMetrics",
			before: `q.QueueCounts == nil || q.Error != ""`, after: `q.QueueCounts == nil`,
		},
	}
}
