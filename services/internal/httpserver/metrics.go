package httpserver

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

type metrics struct{ seconds *prometheus.HistogramVec }

func newMetrics(r *prometheus.Registry) *metrics {
	m := &metrics{seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "http_request_seconds", Help: "Time to answer, by route and status.",
		Buckets: []float64{.001, .005, .02, .1, .5, 2, 10},
	}, []string{"method", "route", "status"})}

	r.MustRegister(m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe counts by the route's pattern, not by the path: paths hold ids, and each
// would be a series of its own.
func (m *metrics) observe(r Route, status int, d time.Duration) {
	m.seconds.WithLabelValues(r.Method, r.Path, strconv.Itoa(status)).Observe(d.Seconds())
}
