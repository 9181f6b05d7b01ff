package console

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics is the console's overview for Prometheus: one scrape gathers it once, and
// whoever else asks meanwhile shares it. What is not known has no sample, so that an
// alert on absence sees it; it is not 0.
type metrics struct {
	overview func(context.Context) Overview

	queue, behind, unread, shard, rides, perMinute, up *prometheus.Desc
}

// scrapeWithin bounds one gathering, below the 10 s that Prometheus waits.
const scrapeWithin = 5 * time.Second

func newMetrics(overview func(context.Context) Overview) metrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("tandem_"+name, help, labels, nil)
	}
	return metrics{
		overview:  overview,
		queue:     desc("queue_messages", "SQS's approximate count: visible, in_flight or delayed.", "queue", "state"),
		behind:    desc("reader_behind_seconds", "How far a reader of the stream is behind, by its shard that is furthest behind.", "reader"),
		unread:    desc("reader_unread_points", "About how many points a reader has not applied.", "reader"),
		shard:     desc("shard_points_total", "Points that location put on a shard since it started.", "shard"),
		rides:     desc("rides", "Rides by state.", "state"),
		perMinute: desc("rides_requested_per_minute", "Rides that were requested in the last minute."),
		up:        desc("service_up", "1: the process answers and lacks nothing; 0: it does not.", "service"),
	}
}

// Describe implements prometheus.Collector.
func (m metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.queue, m.behind, m.unread, m.shard, m.rides, m.perMinute, m.up} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m metrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeWithin)
	defer cancel()
	o := m.overview(ctx)

	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}

	for _, q := range o.Queues {
		if q.QueueCounts == nil || q.Error != "" {
			continue // a count of earlier would look like one of now
		}
		gauge(m.queue, float64(q.Visible), q.Name, "visible")
		gauge(m.queue, float64(q.InFlight), q.Name, "in_flight")
		gauge(m.queue, float64(q.Delayed), q.Name, "delayed")
	}

	for _, r := range o.Readers {
		if r.BehindMS != nil {
			gauge(m.behind, float64(*r.BehindMS)/1000, r.Reader)
		}
		if r.Unread != nil {
			gauge(m.unread, float64(*r.Unread), r.Reader)
		}
	}
	for _, s := range o.Shards {
		out <- prometheus.MustNewConstMetric(m.shard, prometheus.CounterValue, float64(s.Points), s.Shard)
	}

	if o.Rides != nil {
		gauge(m.perMinute, o.Rides.PerMinute)
		for state, n := range o.Rides.ByState {
			gauge(m.rides, float64(n), state)
		}
	}
	for _, s := range o.Services {
		up := 0.0
		if s.OK && len(s.NotReady) == 0 {
			up = 1
		}
		gauge(m.up, up, s.Name)
	}
}
