package kinesisproducer

import (
	"context"
	"time"
	"unicode/utf8"

	"tandem/services/internal/stream/kpl"
)

// put is one call of Put.
type put struct {
	acked   []bool // by item
	left    int
	settled chan struct{} // closed when every item is acknowledged
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
// time. Put ends with ctx, or with ErrClosed once Run has given up.
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
		return len(data), nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-p.gone:
		err = ErrClosed
	}

	// The last item may have been acknowledged in this very moment: then all is
	// durable, whatever ended the wait.
	if acked = p.abandon(bucket, this); acked == len(data) {
		return acked, nil
	}
	return acked, err
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

// abandon withdraws the items of a Put that were not sent yet and returns how
// many, from the first, are acknowledged.
func (p *Producer) abandon(bucket int, this *put) (acked int) {
	p.mu.Lock()
	defer p.mu.Unlock()

	// Items in flight stay: nobody knows whether they are stored, and the record
	// is finished before the key's next item, so the order holds either way.
	q := &p.queues[bucket]
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

	// Only a prefix counts: the caller sends again from there on.
	for acked < len(this.acked) && this.acked[acked] {
		acked++
	}
	return acked
}
