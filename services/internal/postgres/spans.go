package postgres

import (
	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/metric/noop"

	"tandem/services/internal/telemetry"
)

// statementSpans makes each statement a span of the trace in its context; without a
// trace it makes none. The statement's text is an attribute, its parameters are not:
// they say who rides where.
func statementSpans() pgx.QueryTracer {
	return otelpgx.NewTracer(otelpgx.WithTracerProvider(telemetry.Inherited{}), otelpgx.WithMeterProvider(noop.NewMeterProvider()),
		otelpgx.WithDisableAcquireTracer(), otelpgx.WithDisableConnectionDetailsInAttributes())
}
