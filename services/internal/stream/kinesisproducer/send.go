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
	"github.com/aws/smithy-go"
)

// Run sends until ctx ends; then it finishes what waits, for at most drain. It
// returns nil when all was sent: an error says that data was left, not that ctx
// has ended.
func (p *Producer) Run(ctx context.Context, drain time.Duration) error {
	// Calls outlive ctx: only their answers tell whether their records are stored.
	// cancel ends them once the drain time is over.
	sendCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var inFlight sync.WaitGroup
	defer inFlight.Wait()

	end := ctx.Done()
	var giveUp <-chan time.Time // nil until ctx has ended
	placed := false
	for {
		// First a place, then what is sent: a slow stream is not sent more and more calls,
		// and while it is waited for, ctx and the drain time may end.
		place, wait := chan<- struct{}(p.calls), idleWait
		if placed {
			place = nil
			var batch []*record
			if batch, wait = p.collect(time.Now(), giveUp != nil); len(batch) > 0 {
				placed = false
				inFlight.Go(func() {
					defer func() { <-p.calls }()
					p.call(sendCtx, batch)
				})
				continue
			}
		}

		if giveUp != nil && p.left() == 0 {
			return nil
		}

		t := time.NewTimer(wait)
		select {
		case place <- struct{}{}:
			placed = true
		case <-p.wake:
		case <-t.C:
		case <-end:
			end = nil // it stays closed, and would be chosen again and again
			p.close()
			giveUp = time.After(drain)
		case <-giveUp:
			t.Stop()

			// Puts are told only when the calls under way have ended: what those
			// still acknowledge counts.
			cancel()
			inFlight.Wait()
			close(p.gone)
			return fmt.Errorf("kinesisproducer: %d bytes were not sent in time", p.left())
		}
		t.Stop()
	}
}

// close lets no more data in, and wakes the Puts that wait for room to tell them.
func (p *Producer) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.release(0)
}

// left is how many bytes are not acknowledged yet.
func (p *Producer) left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pending
}

// idleWait is how long Run sleeps with nothing to send.
const idleWait = time.Minute

// recordsPerShard is how many records a second are put on one shard, about, while their
// buckets are busy: half of what a shard takes (Amazon Kinesis Data Streams, quotas: 1,000
// records a second), so that another producer has room.
const recordsPerShard = 500

// spacing returns the time from one record of a bucket to the next: the bucket's part of
// recordsPerShard, by the number of buckets whose last records were stored on the same
// shard. It follows a reshard with each bucket's next record. mu is held.
func (p *Producer) spacing(q *bucketQueue) time.Duration {
	if q.shard == "" {
		return p.o.Linger
	}
	return min(p.o.Linger, max(p.o.Spacing, time.Duration(p.perShard[q.shard])*time.Second/recordsPerShard))
}

// collect takes what may be sent now, once any bucket is due: one record of each that
// has none in flight and is due, or will be within an eighth of Linger. With nothing
// due, wait is the time until something may be.
func (p *Producer) collect(now time.Time, draining bool) (batch []*record, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()

	// A call for each item as it comes would cost more than the records.
	nextCall := p.called.Add(p.o.Linger / 4)
	due := func(q *bucketQueue) (time.Duration, bool) { return q.due(now, p.o, p.spacing(q), nextCall, draining) }

	first, least := 0, maxCallRecords+1
	wait = idleWait
	for i := range p.queues {
		d, ok := due(&p.queues[i])
		if ok && d > 0 {
			wait = min(wait, d)
		}

		// A call begins with the record that bears the least company: that is the
		// call's limit, and the record is left out of none.
		if company := p.queues[i].company(); ok && d <= 0 && company < least {
			first, least = i, company
		}
	}
	if least > maxCallRecords {
		return nil, wait // nothing is due
	}

	// The call takes along what is nearly due, which needs none of its own then; a record
	// that failed keeps the whole of its pause.
	p.called = now
	size, limit := 0, maxCallRecords
	for n := range p.queues {
		// The call is full: the rest goes into the next one, at once.
		if len(batch) == limit || size > maxCallBytes {
			p.called = time.Time{}
			return batch, 0
		}

		i := (first + n) % len(p.queues)
		q := &p.queues[i]
		d, ok := due(q)
		if !ok || d > p.o.Linger/8 || d > 0 && q.retry != nil {
			continue
		}
		limit = min(limit, q.company()) // the first one's is the least
		if r := q.take(i, p.o, now); r != nil {
			batch = append(batch, r)
			size += len(r.data)
		}
	}
	return batch, wait
}

var errNoAnswer = errors.New("kinesis did not answer for this record")

// call sends one PutRecords and settles each of its records.
func (p *Producer) call(ctx context.Context, batch []*record) {
	ctx, cancel := context.WithTimeout(ctx, p.o.CallWithin)
	defer cancel()

	in := &kinesis.PutRecordsInput{StreamName: &p.o.Stream}
	for _, r := range batch {
		in.Records = append(in.Records, types.PutRecordsRequestEntry{
			Data: r.data, PartitionKey: &r.key, ExplicitHashKey: &p.queues[r.bucket].hashKey,
		})
	}

	// Without the SDK's retries: when each record is sent again is decided here, and
	// Ready sees every failure.
	out, err := p.o.Client.PutRecords(ctx, in, func(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} })

	for i, r := range batch {
		shard, why := outcome(out, err, i)
		switch {
		case why == nil:
			p.ack(r, shard)
		case CauseOf(why) != Refused:
			p.again(r, why)
		case err != nil && len(batch) > 1:
			p.apart(r, (len(batch)+1)/2)
		default:
			p.refuse(r, why)
		}
	}
}

// outcome returns the shard that the call's ith record is stored on, or why it
// may not be stored. Each record answers for itself: FailedRecordCount is not
// asked, and what is not surely stored counts as not stored.
func outcome(out *kinesis.PutRecordsOutput, err error, i int) (shard string, why error) {
	if err != nil {
		return "", err
	}
	if i >= len(out.Records) {
		return "", errNoAnswer
	}

	r := out.Records[i]
	if aws.ToString(r.ErrorCode) == "" && aws.ToString(r.SequenceNumber) != "" {
		return aws.ToString(r.ShardId), nil
	}
	return "", &smithy.GenericAPIError{Code: aws.ToString(r.ErrorCode), Message: aws.ToString(r.ErrorMessage)}
}

// ack settles the items of a record that is durable, which frees its bucket for
// the next one.
func (p *Producer) ack(r *record, shard string) {
	p.mu.Lock()
	defer p.mu.Unlock()

	q := &p.queues[r.bucket]
	waited := time.Since(q.inFlight[0].since)
	for _, it := range q.inFlight {
		it.put.acked[it.number] = true
		if it.put.left--; it.put.left == 0 {
			close(it.put.settled)
		}
		p.pending -= len(it.data)
	}
	q.inFlight, q.atMost = nil, 0
	p.stored(q, shard)
	p.note(r.bucket, nil)
	p.release(0)
	p.signal()

	p.o.Report(Stored{Shard: shard, Bucket: r.bucket, UserRecords: r.items, Bytes: len(r.data), Waited: waited})
}

// stored notes which shard has the bucket's last record; mu is held.
func (p *Producer) stored(q *bucketQueue, shard string) {
	if q.shard == shard {
		return
	}
	if p.perShard[q.shard]--; p.perShard[q.shard] <= 0 {
		delete(p.perShard, q.shard)
	}
	q.shard = shard
	p.perShard[shard]++
}

// again sends the record once more, after a pause that grows. Its bytes stay as
// they are: it may be stored already, and then only the whole of it is a repeat.
func (p *Producer) again(r *record, why error) {
	pause := min(firstPause<<min(r.tries, 8), lastPause)
	r.tries++
	r.after = time.Now().Add(pause/2 + rand.N(pause/2+1)) // buckets that failed together do not retry together

	p.mu.Lock()
	defer p.mu.Unlock()
	q := &p.queues[r.bucket]
	q.retry = r
	p.note(r.bucket, why)
	p.signal()
}
