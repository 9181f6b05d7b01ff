package kinesis

import (
	"context"
	"sync"
	"time"

	"tandem/emulator/wire"
)

// takeOverAfter is how old a subscription must be for another one of the same
// consumer and shard to take its place.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_SubscribeToShard.html
const takeOverAfter = 5 * time.Second

// subscriber is who may have one subscription at a time.
type subscriber struct{ stream, arn, shard string }

// subscription is the last successful call of a subscriber. It stays when its
// answer has ended, since the next call must not come too soon.
type subscription struct {
	since time.Time
	end   context.CancelCauseFunc
	ctx   context.Context
}

// subscriptions are those of all streams. Its lock is the last to be taken.
type subscriptions struct {
	mu     sync.Mutex
	active map[subscriber]*subscription
}

// begin makes the caller the only subscription of who, and ends the one before.
// The context ends when the subscription has to, and its cause says why.
func (l *subscriptions) begin(ctx context.Context, who subscriber) (context.Context, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	now := time.Now()
	if before := l.active[who]; before != nil {
		if now.Sub(before.since) < takeOverAfter {
			return nil, wire.Bad("ResourceInUseException", "Another active subscription exists for this consumer: %s, shard %s.", who.arn, who.shard)
		}
		before.end(wire.Bad("ResourceInUseException", "Another subscription of consumer %s to shard %s took over.", who.arn, who.shard))
	}

	ctx, end := context.WithCancelCause(ctx)
	l.active[who] = &subscription{now, end, ctx}
	return ctx, nil
}

// end ends and forgets the subscriptions for which the function returns true.
func (l *subscriptions) end(which func(subscriber) bool, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for who, s := range l.active {
		if which(who) {
			s.end(why)
			delete(l.active, who)
		}
	}
}

// finish ends a subscription whose answer is over.
func (l *subscriptions) finish(ctx context.Context, who subscriber) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// Not the one that took over: its context is another.
	if s := l.active[who]; s != nil && s.ctx == ctx {
		s.end(nil)
	}
}

// answering returns the subscribers for which the function returns true and
// whose answer still runs.
func (l *subscriptions) answering(which func(subscriber) bool) (out []subscriber) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for who, s := range l.active {
		if which(who) && s.ctx.Err() == nil {
			out = append(out, who)
		}
	}
	return out
}
