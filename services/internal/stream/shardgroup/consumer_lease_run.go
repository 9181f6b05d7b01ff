package shardgroup

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem/services/internal/stream/shardreader"
)

// tick renews what is held, or takes what is free.
func (l *ConsumerLease) tick(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.o.Lease/3)
	defer cancel()
	if l.pool == nil {
		pool, err := l.o.Open(ctx)
		if err != nil {
			return err
		}
		l.pool = pool
	}
	_, arn := l.Consumer()
	if arn != "" { // first: whoever lists consumers may be away
		if err := l.renew(ctx, arn); err != nil || time.Since(l.listed) < 3*l.o.Lease {
			return err
		}
	}
	free, err := l.list(ctx)
	if err != nil {
		return err
	}
	if arn != "" {
		if slices.ContainsFunc(free, func(c shardreader.Consumer) bool { return c.ARN == arn }) {
			return nil
		}
		l.drop(ctx)
	}
	return l.take(ctx, free)
}

// list lists the consumers that may be taken.
func (l *ConsumerLease) list(ctx context.Context) ([]shardreader.Consumer, error) {
	all, err := l.o.List(ctx)
	if err != nil {
		return nil, err
	}
	l.listed = time.Now()
	var out []shardreader.Consumer
	for _, c := range all {
		if c.Active && strings.HasPrefix(c.Name, l.o.Prefix) {
			out = append(out, c)
		}
	}
	return out, nil
}

func (l *ConsumerLease) take(ctx context.Context, free []shardreader.Consumer) error {
	for _, c := range free {
		sent := time.Now()
		ok, err := holdConsumer(ctx, l.pool, c.ARN, l.o.Worker, l.o.Lease)
		if err != nil {
			return err
		}
		if ok {
			l.begin(c, sent)
			return nil
		}
	}
	if len(free) == 0 {
		return fmt.Errorf("no consumer called %s… is registered and active", l.o.Prefix)
	}
	return fmt.Errorf("all %d consumers called %s… are in use", len(free), l.o.Prefix)
}

func (l *ConsumerLease) renew(ctx context.Context, arn string) error {
	sent := time.Now()
	ok, err := holdConsumer(ctx, l.pool, arn, l.o.Worker, l.o.Lease)
	if err != nil {
		return err // trusted until it runs out
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !ok {
		l.lost()
		return errTaken
	}
	l.trust(sent)
	return nil
}

// trust extends our belief in the lease; mu is held.
func (l *ConsumerLease) trust(sent time.Time) {
	l.until = sent.Add(l.o.Lease - l.o.Lease/5)
	l.timer.Reset(time.Until(l.until))
}

func (l *ConsumerLease) begin(c shardreader.Consumer, sent time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != nil {
		l.timer.Stop()
		l.lost()
	}
	l.name, l.arn = c.Name, c.ARN
	l.held, l.lost = context.WithCancel(context.Background())
	l.timer = time.AfterFunc(l.o.Lease, l.lost)
	l.trust(sent)
}

// drop gives back what is not to be used any more.
func (l *ConsumerLease) drop(ctx context.Context) {
	l.mu.Lock()
	arn := l.arn
	if l.name != "" {
		l.timer.Stop()
		l.lost()
	}
	l.name, l.why = "", errNotActive
	l.mu.Unlock()
	if arn != "" && l.pool != nil {
		if err := releaseConsumer(ctx, l.pool, arn, l.o.Worker); err != nil {
			l.o.Log.Warn("a consumer's lease could not be given back; it expires", "err", err)
		}
	}
}

func (l *ConsumerLease) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	l.drop(ctx)
	if l.pool != nil {
		l.pool.Close()
	}
}
