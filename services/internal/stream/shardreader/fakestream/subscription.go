package fakestream

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// As docs.aws.amazon.com/kinesis/latest/APIReference/API_SubscribeToShard.html
// has it; how often Kinesis says that there is nothing is not written there.
const (
	subscriptionLasts = 5 * time.Minute
	takeOverAfter     = 5 * time.Second
	sayNothingEvery   = 5 * time.Second
)

// subscription sends events as records come, one at a time: it holds the next
// back until the last was taken.
type subscription struct {
	s        *Stream
	consumer string
	shard    *shard
	from     string
	began    time.Time
	events   chan types.SubscribeToShardEventStream

	once sync.Once
	done chan struct{}
	err  error // set before done is closed
}

func (u *subscription) end(err error) {
	u.once.Do(func() {
		u.err = err
		close(u.done)
	})
}

func (u *subscription) open() bool {
	select {
	case <-u.done:
		return false
	default:
		return true
	}
}

// Events implements shardreader.Subscription.
func (u *subscription) Events() <-chan types.SubscribeToShardEventStream { return u.events }

// Close implements shardreader.Subscription.
func (u *subscription) Close() error {
	u.end(nil)
	return nil
}

// Err implements shardreader.Subscription.
func (u *subscription) Err() error {
	if u.open() {
		return nil
	}
	return u.err
}

func (u *subscription) run(ctx context.Context) {
	defer close(u.events)
	over := time.NewTimer(subscriptionLasts)
	defer over.Stop()
	nothing := time.NewTicker(sayNothingEvery)
	defer nothing.Stop()

	for say := true; ; { // say sends an event without records
		event, after, changed, ok := u.next()
		if !ok {
			u.end(missing("consumer"))
			return
		}

		// Either there is an event to send, and changes wait until it was taken, or
		// a change is waited for.
		closed, events := event.ChildShards != nil, u.events
		if !u.s.muted() && (say || closed || len(event.Records) > 0) {
			changed = nil
		} else {
			events = nil
		}

		select {
		case events <- &types.SubscribeToShardEventStreamMemberSubscribeToShardEvent{Value: event}:
			say, u.from = false, after
			if closed {
				u.end(nil)
				return
			}
		case <-changed:
		case <-nothing.C:
			say = true
		case <-over.C:
			u.end(nil)
			return
		case <-ctx.Done():
			u.end(ctx.Err())
			return
		case <-u.done:
			return
		}
	}
}

// next returns the event to send now, where the one after it begins, and what is
// closed when there may be more; ok is false once the consumer is gone, or the
// stream with it.
func (u *subscription) next() (e types.SubscribeToShardEvent, after string, changed <-chan struct{}, ok bool) {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	if u.s.consumers[u.consumer] == nil {
		return e, "", nil, false
	}

	out := u.s.read(u.shard, u.from)
	e = types.SubscribeToShardEvent{Records: out.Records, MillisBehindLatest: out.MillisBehindLatest}
	if out.NextShardIterator == nil {
		for _, id := range u.s.order {
			child := u.s.shards[id]
			if p := aws.ToString(u.shard.ShardId); aws.ToString(child.ParentShardId) == p || aws.ToString(child.AdjacentParentShardId) == p {
				e.ChildShards = append(e.ChildShards, types.ChildShard{ShardId: child.ShardId})
			}
		}
		return e, u.from, u.s.changed, true
	}

	last := sequence(u.s.next)
	if n := len(out.Records); n > 0 {
		last = *out.Records[n-1].SequenceNumber
	}
	e.ContinuationSequenceNumber = &last
	return e, behind(last), u.s.changed, true
}
