package shardgroup

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem/services/internal/stream/shardreader"
)

// tick renews the lease that is held, or acquires one that is free.
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

	// Renewing comes first: whoever lists consumers may be away.
	_, arn := l.Consumer()
	if arn != "" {
		if err := l.renew(ctx, arn); err != nil || time.Since(l.listed) < 3*l.o.Lease {
			return err
		}
	}

	usable, err := l.list(ctx)
	if err != nil {
		return err
	}
	if arn != "" {
		if slices.ContainsFunc(usable, func(c shardreader.Consumer) bool { return c.ARN == arn }) {
			return nil
		}
		l.release(ctx)
	}
	return l.acquire(ctx, usable)
}

// list lists the consumers that may be used.
func (l *ConsumerLease) list(ctx context.Context) ([]shardreader.Consumer, error) {
	all, err := l.o.List(ctx)
	if err != nil {
		return nil, err
	}
	l.listed = time.Now()

	var out []shardreader.Consumer
	for _, c := range all {
		if c.Active && (strings.HasPrefix(c.Name, l.o.Prefix) || c.ARN == l.o.Prefix) {
			out = append(out, c)
		}
	}
	return out, nil
}

// acquire leases the first consumer that nobody holds.
func (l *ConsumerLease) acquire(ctx context.Context, usable []shardreader.Consumer) error {
	for _, c := range usable {
		sent := time.Now()
		ok, err := leaseConsumer(ctx, l.pool, c.ARN, l.o.Worker, l.o.Lease)
		if err != nil {
			return err
		}
		if ok {
			l.begin(c, sent)
			return nil
		}
	}

	if len(usable) == 0 {
		return NoConsumer(fmt.Sprintf("no consumer called %s… is registered and active", l.o.Prefix))
	}
	return NoConsumer(fmt.Sprintf("all %d consumers called %s… are in use", len(usable), l.o.Prefix))
}

func (l *ConsumerLease) renew(ctx context.Context, arn string) error {
	sent := time.Now()
	ok, err := leaseConsumer(ctx, l.pool, arn, l.o.Worker, l.o.Lease)
	if err != nil {
		return err // nothing is lost yet: trust runs out by itself
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	if !ok {
		l.distrust()
		return errTaken
	}
	l.trust(sent)
	return nil
}

// trust extends our belief in the lease, counted from when the renewal was sent;
// mu is held.
func (l *ConsumerLease) trust(sent time.Time) {
	l.until = sent.Add(l.o.Lease - l.o.Lease/5)
	l.expiry.Reset(time.Until(l.until))
}

// begin notes a consumer that was acquired.
func (l *ConsumerLease) begin(c shardreader.Consumer, sent time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()

	// A subscription with the consumer that was held before must end: this process
	// holds one consumer at a time.
	if l.held != nil {
		l.expiry.Stop()
		l.distrust()
	}
	l.consumer = c
	l.held, l.distrust = context.WithCancel(context.Background())
	l.expiry = time.AfterFunc(l.o.Lease, l.distrust)
	l.trust(sent)
}

// release ends the use of the consumer that is held, then its lease, so that
// nobody acquires it while it is used here. It tries until ctx ends: another replica
// would wait for a lease that is left to expire.
func (l *ConsumerLease) release(ctx context.Context) {
	l.mu.Lock()
	if l.consumer.ARN != "" {
		l.expiry.Stop()
		l.distrust()
	}
	l.consumer, l.why = shardreader.Consumer{}, errNotActive
	l.mu.Unlock()

	if l.pool == nil {
		return // nothing was acquired
	}
	for {
		err := releaseConsumers(ctx, l.pool, l.o.Worker)
		if err == nil {
			return
		}
		if sleep(ctx, firstWait) != nil {
			l.o.Log.Warn("a consumer's lease could not be released; it expires", "err", err)
			return
		}
	}
}

// end releases what is held and closes the database; Run's context has ended.
func (l *ConsumerLease) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	l.release(ctx)
	if l.pool != nil {
		l.pool.Close()
	}
}
