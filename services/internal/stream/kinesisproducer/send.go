package kinesisproducer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"tandem/services/internal/stream/kpl"
)

// attempt is an aggregate on its way: the same bytes at each try.
type attempt struct {
	bucket int
	key    string // the partition key of the record: the first user record's
	data   []byte
	count  int
	tries  int
	after  time.Time // not before
}

// Run sends until ctx ends; then it finishes what waits, for at most drain.
// It returns nil when nothing was left.
func (p *Producer) Run(ctx context.Context, drain time.Duration) error {
	sendCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var inAir sync.WaitGroup
	defer inAir.Wait()
	end := ctx.Done()
	var giveUp <-chan time.Time
	for {
		batch, wait := p.cut(time.Now(), giveUp != nil)
		if len(batch) > 0 {
			p.calls <- struct{}{}
			inAir.Go(func() {
				defer func() { <-p.calls }()
				p.call(sendCtx, batch)
			})
			continue
		}
		if giveUp != nil && p.idle() {
			return nil
		}
		t := time.NewTimer(wait)
		select {
		case <-p.wake:
		case <-t.C:
		case <-end:
			end = nil
			p.mu.Lock()
			p.closed = true
			p.release(0)
			p.mu.Unlock()
			giveUp = time.After(drain)
		case <-giveUp:
			t.Stop()
			cancel()
			return fmt.Errorf("kinesisproducer: %d bytes were not sent in time", p.left())
		}
		t.Stop()
	}
}

func (p *Producer) idle() bool { return p.left() == 0 }

func (p *Producer) left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pending
}

// idleWait is how long Run sleeps with nothing to send.
const idleWait = time.Minute

// cut takes what may be sent now: one aggregate of each free bucket that is due
// or full. With nothing due, wait says until when.
func (p *Producer) cut(now time.Time, draining bool) (batch []*attempt, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait = idleWait
	size := 0
	for i := range p.lines {
		l := &p.lines[i]
		if len(batch) == maxCallRecords || size > maxCallBytes {
			return batch, 0
		}
		a, due := l.next(now, i, p.o, draining)
		if a == nil {
			wait = min(wait, due)
			continue
		}
		batch = append(batch, a)
		size += len(a.data)
	}
	return batch, wait
}

// next gives the line's next attempt, or how long until there may be one.
func (l *line) next(now time.Time, bucket int, o Options, draining bool) (*attempt, time.Duration) {
	if l.retry != nil {
		if d := l.retry.after.Sub(now); d > 0 {
			return nil, d
		}
		a := l.retry
		l.retry = nil
		return a, 0
	}
	if len(l.air) > 0 || len(l.waiting) == 0 {
		return nil, idleWait
	}
	if d := o.Linger - now.Sub(l.waiting[0].since); d > 0 && !draining && !l.full(o.AggregateMax) {
		return nil, d
	}
	agg := kpl.NewAggregate(l.hashKey, o.AggregateMax)
	n := 0
	for n < len(l.waiting) && agg.Add(l.waiting[n].key, l.waiting[n].data) {
		n++
	}
	data, err := agg.Encode()
	if err != nil || n == 0 {
		// Put refuses what does not fit alone, so this does not happen; the
		// line would stand still, and its Put says so when its time is over.
		o.Log.Error("data cannot be packed", "bucket", bucket, "err", err)
		return nil, idleWait
	}
	l.air = append(l.air, l.waiting[:n]...)
	l.waiting = append(l.waiting[:0:0], l.waiting[n:]...)
	return &attempt{bucket: bucket, key: l.air[0].key, data: data, count: n}, 0
}

func (l *line) full(limit int) bool {
	size := 0
	for _, d := range l.waiting {
		if size += len(d.data); size >= limit {
			return true
		}
	}
	return false
}

var errNoAnswer = errors.New("kinesis did not answer for this record")

// call sends one PutRecords and settles each of its records.
func (p *Producer) call(ctx context.Context, batch []*attempt) {
	ctx, cancel := context.WithTimeout(ctx, p.o.CallWithin)
	defer cancel()
	in := &kinesis.PutRecordsInput{StreamName: &p.o.Stream}
	for _, a := range batch {
		in.Records = append(in.Records, types.PutRecordsRequestEntry{
			Data: a.data, PartitionKey: &a.key, ExplicitHashKey: &p.lines[a.bucket].hashKey,
		})
	}
	out, err := p.o.Client.PutRecords(ctx, in, func(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} })
	var failed error
	for i, a := range batch {
		why := err
		if err == nil && i >= len(out.Records) {
			why = errNoAnswer
		}
		if why == nil {
			r := out.Records[i]
			if aws.ToString(r.ErrorCode) == "" && aws.ToString(r.SequenceNumber) != "" {
				p.ack(a, aws.ToString(r.ShardId))
				continue
			}
			why = fmt.Errorf("%s: %s", aws.ToString(r.ErrorCode), aws.ToString(r.ErrorMessage))
		}
		failed = why
		p.again(a)
	}
	p.note(failed)
}

// ack settles the data of a record that is durable.
func (p *Producer) ack(a *attempt, shard string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := &p.lines[a.bucket]
	for _, d := range l.air {
		d.put.acked[d.number] = true
		if d.put.left--; d.put.left == 0 {
			close(d.put.settled)
		}
		p.pending -= len(d.data)
	}
	l.air = l.air[:0:0]
	p.release(0)
	p.signal()
	if p.o.Report != nil {
		p.o.Report(shard, a.count, len(a.data))
	}
}

// again sends the record once more, after a pause that grows.
func (p *Producer) again(a *attempt) {
	pause := min(firstPause<<min(a.tries, 8), lastPause)
	a.tries++
	a.after = time.Now().Add(pause/2 + rand.N(pause/2+1))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines[a.bucket].retry = a
	p.signal()
}

func (p *Producer) note(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil && p.fail == nil {
		p.o.Log.Warn("records were not taken by the stream; they are sent again", "stream", p.o.Stream, "err", err)
	}
	p.fail = err
}
