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
func (n *Name) tick(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, n.o.Lease/3)
	defer cancel()
	if n.pool == nil {
		pool, err := n.o.Open(ctx)
		if err != nil {
			return err
		}
		n.pool = pool
	}
	_, arn := n.Consumer()
	if arn != "" { // first: whoever lists consumers may be away
		if err := n.renew(ctx, arn); err != nil || time.Since(n.listed) < 3*n.o.Lease {
			return err
		}
	}
	free, err := n.list(ctx)
	if err != nil {
		return err
	}
	if arn != "" {
		if slices.ContainsFunc(free, func(c shardreader.Consumer) bool { return c.ARN == arn }) {
			return nil
		}
		n.drop(ctx)
	}
	return n.take(ctx, free)
}

// list lists the consumers that may be taken.
func (n *Name) list(ctx context.Context) ([]shardreader.Consumer, error) {
	all, err := n.o.List(ctx)
	if err != nil {
		return nil, err
	}
	n.listed = time.Now()
	var out []shardreader.Consumer
	for _, c := range all {
		if c.Active && strings.HasPrefix(c.Name, n.o.Prefix) {
			out = append(out, c)
		}
	}
	return out, nil
}

func (n *Name) take(ctx context.Context, free []shardreader.Consumer) error {
	for _, c := range free {
		sent := time.Now()
		ok, err := holdConsumer(ctx, n.pool, c.ARN, n.o.Worker, n.o.Lease)
		if err != nil {
			return err
		}
		if ok {
			n.begin(c, sent)
			return nil
		}
	}
	if len(free) == 0 {
		return fmt.Errorf("no consumer called %s… is registered and active", n.o.Prefix)
	}
	return fmt.Errorf("all %d consumers called %s… are in use", len(free), n.o.Prefix)
}

func (n *Name) renew(ctx context.Context, arn string) error {
	sent := time.Now()
	ok, err := holdConsumer(ctx, n.pool, arn, n.o.Worker, n.o.Lease)
	if err != nil {
		return err // trusted until it runs out
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !ok {
		n.lost()
		return errTaken
	}
	n.trust(sent)
	return nil
}

// trust extends our belief in the lease; mu is held.
func (n *Name) trust(sent time.Time) {
	n.until = sent.Add(n.o.Lease - n.o.Lease/5)
	n.timer.Reset(time.Until(n.until))
}

func (n *Name) begin(c shardreader.Consumer, sent time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.held != nil {
		n.timer.Stop()
		n.lost()
	}
	n.name, n.arn = c.Name, c.ARN
	n.held, n.lost = context.WithCancel(context.Background())
	n.timer = time.AfterFunc(n.o.Lease, n.lost)
	n.trust(sent)
}

// drop gives back what is not to be used any more.
func (n *Name) drop(ctx context.Context) {
	n.mu.Lock()
	arn := n.arn
	if n.name != "" {
		n.timer.Stop()
		n.lost()
	}
	n.name, n.why = "", errNotActive
	n.mu.Unlock()
	if arn != "" && n.pool != nil {
		if err := releaseConsumer(ctx, n.pool, arn, n.o.Worker); err != nil {
			n.o.Log.Warn("a consumer's lease could not be given back; it expires", "err", err)
		}
	}
}

func (n *Name) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	n.drop(ctx)
	if n.pool != nil {
		n.pool.Close()
	}
}
