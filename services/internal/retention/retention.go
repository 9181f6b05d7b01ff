// Package retention deletes old rows beside a service's work: in small batches with a
// pause after each, so that nothing waits long for a lock, and vacuum keeps up. History,
// whose rows are too many for that, drops partitions instead.
package retention

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	batch = 200
	pause = 200 * time.Millisecond
	every = time.Hour

	// Least is the shortest time that rows of what was done about a message may be kept: a message that comes again must
	// still find what was done about it. SQS keeps one for 14 days at most on its queue, and
	// as long again on the dead-letter queue, where a worker's copy is a new message.
	Least = (14 + 14 + 1) * 24 * time.Hour
)

// Options says what is deleted. All but Least are needed.
type Options struct {
	What    string        // in the log and in the metric, such as "rides"
	Keep    time.Duration // at least Least
	Least   time.Duration // the shortest Keep that is right; 0: the constant Least
	Log     *slog.Logger
	Metrics prometheus.Registerer
	// Delete deletes rows older than keep, at most limit of them, and returns how many.
	// One that drops whole tables may drop more. Several processes may call it concurrently.
	Delete func(ctx context.Context, keep time.Duration, limit int) (int64, error)
}

// Run deletes what is old, now and each hour, until ctx ends, and then returns nil. An
// error means that the options are wrong.
func Run(ctx context.Context, o Options) error {
	if least := cmp.Or(o.Least, Least); o.Keep < least {
		return fmt.Errorf("retention: %s would be kept for %v; the least is %v", o.What, o.Keep, least)
	}

	removed := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tandem_rows_removed_total", Help: "Rows that were removed because of their age.", ConstLabels: prometheus.Labels{"what": o.What},
	})
	o.Metrics.MustRegister(removed)

	for {
		n, err := o.removeOld(ctx)
		removed.Add(float64(n))
		if n > 0 {
			o.Log.Info("old rows were removed", "what", o.What, "n", n, "older_than", o.Keep)
		}
		if err != nil && ctx.Err() == nil {
			o.Log.Warn("old rows were not removed; it is tried again in an hour", "what", o.What, "err", err)
		}

		if !sleep(ctx, every) {
			return nil
		}
	}
}

// removeOld deletes batches until one is not full, and returns how many rows it deleted.
func (o Options) removeOld(ctx context.Context) (total int64, err error) {
	for {
		n, err := o.Delete(ctx, o.Keep, batch)
		total += n
		if err != nil || n < batch || !sleep(ctx, pause) {
			return total, err
		}
	}
}

// sleep reports whether d has passed before ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
