package shardreader

import (
	"context"
	"errors"
	"time"
)

// All programs of an account share 20 calls of DescribeStreamSummary a second
// (docs.aws.amazon.com/kinesis/latest/APIReference/API_DescribeStreamSummary.html), and
// each shard asks after each failure. So a Reader sends up to ten at once and then ten a
// second, which all of its shards share: never over 20 in a second. ListShards has 1,000
// a second of a stream.
const (
	describeEvery = 100 * time.Millisecond
	describeBurst = 10
)

// errComparing is wrapped by what comparing the stream fails with.
var errComparing = errors.New("compare the stream with the one that reading began with")

// asking is one call of DescribeStreamSummary and who waits for it.
type asking struct {
	answered chan struct{} // closed once the rest is set
	left     bool          // its caller has left, which says nothing to the others
	stream   Stream
	err      error
}

// describeNow returns the stream as it was at some time after describeNow was called:
// what was known before says nothing about a failure since.
func (r *Reader) describeNow(ctx context.Context) (Stream, error) {
	for {
		r.mu.Lock()
		a := r.asking
		first := a == nil
		if first {
			a = &asking{answered: make(chan struct{})}
			r.asking = a
		}
		r.mu.Unlock()

		if first {
			r.ask(ctx, a)
			return a.stream, a.err
		}
		select {
		case <-a.answered:
		case <-ctx.Done():
			return Stream{}, ctx.Err()
		}
		if !a.left {
			return a.stream, a.err
		}
	}
}

// ask waits for its turn and then calls. Until the call is sent, others may wait for it.
func (r *Reader) ask(ctx context.Context, a *asking) {
	defer close(a.answered)
	noTurn := r.turn(ctx)

	// From here on what the answer says may be older than whoever comes.
	r.mu.Lock()
	r.asking = nil
	r.mu.Unlock()

	if noTurn != nil {
		a.left, a.err = true, noTurn
		return
	}
	a.stream, a.err = r.Describe(ctx)
	<-r.flight
	a.left = a.err != nil && ctx.Err() != nil
}

// turn waits until no call is under way and the next one may be sent.
func (r *Reader) turn(ctx context.Context) error {
	select {
	case r.flight <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}

	err := r.describe.Wait(ctx)
	if err != nil {
		<-r.flight
	}
	return err
}
