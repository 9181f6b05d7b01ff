package kinesisproducer

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"tandem/services/internal/stream/kpl"
)

// put is one call of Put.
type put struct {
	acked   []bool // by item
	left    int
	settled chan struct{} // closed when every item is acknowledged, or one is refused
	refused error         // set before settled is closed; nil: every item is acknowledged
}

const (
	maxKey      = 256 // characters of a partition key
	traceparent = 55  // of a trace's context: https://www.w3.org/TR/trace-context/
)

// recordOverhead is more than what the aggregated format adds to one item alone
// in its record.
const recordOverhead = 128 + kpl.TraceSize

// Put puts data of one key, in order, and waits until all of it is durable.
// acked is how many, from the first, are: with an error it is less than all, and
// sending again from acked on keeps the key's order. A key must have one Put at a
// time. Put ends with ctx, with ErrClosed once Run has given up, or with ErrRefused; an
// error of the first two also wraps why the stream has not taken the data, if it said so.
func (p *Producer) Put(ctx context.Context, key string, data ...[]byte) (acked int, err error) {
	// Refuse what can never be sent before anything of this Put is queued: it
	// would stop its bucket for ever, and a key that Kinesis refuses would stop every
	// bucket whose record shares its call.
	if n := utf8.RuneCountInString(key); n < 1 || n > maxKey || !utf8.ValidString(key) {
		return 0, ErrKey
	}
	size := 0
	for _, d := range data {
		size += len(d)
		if len(d)+len(key)+recordOverhead > p.o.AggregateMax {
			return 0, ErrTooLarge
		}
	}
	if len(data) == 0 {
		return 0, nil
	}

	bucket := p.o.Buckets.Of(key)
	this, err := p.enqueue(ctx, bucket, key, data, size, p.trace(ctx))
	if err != nil {
		return 0, err
	}

	select {
	case <-this.settled:
		if this.refused == nil {
			return len(data), nil
		}
	case <-ctx.Done():
		err = ctx.Err()
	case <-p.gone:
		err = ErrClosed
	}
	return p.abandon(bucket, this, err)
}

// trace returns what the first item of a Put carries. What is no traceparent by its
// length is left out: room is kept for one, and no more.
func (p *Producer) trace(ctx context.Context) string {
	if t := p.o.Trace(ctx); len(t) == traceparent {
		return t
	}
	return ""
}

// enqueue waits for room and adds the data to the bucket's queue, all of it or
// nothing.
func (p *Producer) enqueue(ctx context.Context, bucket int, key string, data [][]byte, size int, trace string) (*put, error) {
	p.mu.Lock()
	defer p.mu.Unlock()

	// With nothing pending even a Put that is larger than MaxPending may enter:
	// there will never be more room than now.
	for p.pending > 0 && p.pending+size > p.o.MaxPending && !p.closed {
		room := p.room
		p.mu.Unlock()
		select {
		case <-ctx.Done():
			p.mu.Lock()
			return nil, ctx.Err()
		case <-room:
		}
		p.mu.Lock()
	}
	if p.closed {
		return nil, ErrClosed
	}

	this := &put{acked: make([]bool, len(data)), left: len(data), settled: make(chan struct{})}
	now := time.Now()
	q := &p.queues[bucket]
	for i, d := range data {
		q.waiting = append(q.waiting, &item{key: key, data: d, since: now, put: this, number: i, trace: trace})
		trace = "" // one of a batch is enough
	}
	p.pending += size
	p.signal()
	return this, nil
}

// abandon withdraws the items of a Put that were not sent yet, and returns how many,
// from the first, are acknowledged, and why not all: refused, or what ended the wait.
func (p *Producer) abandon(bucket int, this *put, ended error) (acked int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()

	// Items in flight stay: nobody knows whether they are stored, and the record
	// is finished before the key's next item, so the order holds either way.
	q := &p.queues[bucket]
	p.withdraw(q, this)

	// Only a prefix counts: the caller sends again from there on.
	for acked < len(this.acked) && this.acked[acked] {
		acked++
	}

	switch {
	// The last item may have been acknowledged in this very moment: then all is
	// durable, whatever ended the wait.
	case acked == len(this.acked):
		return acked, nil
	case this.refused != nil:
		return acked, this.refused
	case len(q.inFlight) > 0 && q.fail != nil && CauseOf(q.fail) != Refused:
		return acked, fmt.Errorf("%w: the stream has not taken it: %w", ended, q.fail)
	}
	return acked, ended
}

// withdraw takes a Put's items out of what waits; mu is held.
func (p *Producer) withdraw(q *bucketQueue, this *put) {
	kept := q.waiting[:0]
	for _, it := range q.waiting {
		if it.put == this {
			p.release(len(it.data))
			continue
		}
		kept = append(kept, it)
	}
	clear(q.waiting[len(kept):]) // so that what was withdrawn is not kept in memory
	q.waiting = kept
}
