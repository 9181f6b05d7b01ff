package queuemetrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/services/internal/queue/outbox"
)

const (
	// statsWithin is how long a scrape waits for the count.
	statsWithin = 2 * time.Second
	// statsFor is how long a count is shown again: it reads each row that waits.
	statsFor = 5 * time.Second
)

// Outbox shows what an outbox has not sent. stats counts; while it fails, or takes
// longer than two seconds, the numbers are absent: what is not known is not 0.
func Outbox(r prometheus.Registerer, stats func(context.Context) (outbox.Stats, error)) {
	r.MustRegister(&outboxCollector{
		stats:    stats,
		unsent:   desc("tandem_outbox_unsent", "Messages that wait in the outbox."),
		oldest:   desc("tandem_outbox_oldest_seconds", "For how long the oldest of them has waited; 0: none waits."),
		setAside: desc("tandem_outbox_set_aside", "Messages that SQS refuses for good. A person must look at them."),
	})
}

func desc(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }

type outboxCollector struct {
	stats                    func(context.Context) (outbox.Stats, error)
	unsent, oldest, setAside *prometheus.Desc

	mu   sync.Mutex
	last outbox.Stats
	at   time.Time // zero: not known
}

func (c *outboxCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.unsent
	out <- c.oldest
	out <- c.setAside
}

func (c *outboxCollector) Collect(out chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()

	if time.Since(c.at) > statsFor {
		ctx, cancel := context.WithTimeout(context.Background(), statsWithin)
		defer cancel()
		s, err := c.stats(ctx)
		if err != nil {
			return
		}
		c.last, c.at = s, time.Now()
	}

	out <- prometheus.MustNewConstMetric(c.unsent, prometheus.GaugeValue, float64(c.last.Unsent))
	out <- prometheus.MustNewConstMetric(c.oldest, prometheus.GaugeValue, c.last.Oldest.Seconds())
	out <- prometheus.MustNewConstMetric(c.setAside, prometheus.GaugeValue, float64(c.last.SetAside))
}
