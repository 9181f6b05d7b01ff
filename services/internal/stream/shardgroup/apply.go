package shardgroup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/internal/stream/shardreader"
)

// handle applies one batch and notes how far the shard is applied.
func (r *reading) handle(ctx context.Context, b shardreader.Batch) error {
	if b.Trimmed {
		r.gap = r.trimmedBefore(b)
	}
	if len(b.Records) > 0 || b.Closed {
		if err := r.applyInParts(ctx, b); err != nil {
			return err
		}
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	r.at.Position, r.behind, r.polled, r.failing, r.alone = b.Next, b.Behind, b.AsOf, nil, nil
	if n := len(b.Records); n > 0 {
		r.at.arrived = b.Records[n-1].Arrived
	}
	if b.Behind == 0 {
		r.at.tip = b.AsOf // written with the next renewal, not at once
	}
	return nil
}

// applyInParts applies a batch, and after a failure in parts: half as many records as
// failed, and twice as many after each success. So what stands before a record that
// always fails is applied, and that record is tried alone: which it is, is known.
func (r *reading) applyInParts(ctx context.Context, b shardreader.Batch) error {
	for {
		part := b
		if n := r.most; n > 0 && n < len(b.Records) {
			part.Records, part.Next, part.Closed = b.Records[:n], b.Records[n-1].Position, false
		}

		n, began := len(part.Records), time.Now()
		if err := r.apply(ctx, part); err != nil {
			r.most = max(n/2, 1)
			r.mu.Lock()
			if r.alone = nil; n == 1 {
				r.alone = &part.Records[0].Position
			}
			r.mu.Unlock()
			return err
		}

		r.g.records.Add(int64(n))
		r.g.o.Metrics.Applied(b.Shard, n, time.Since(began))
		if n == len(b.Records) {
			r.most = 0
			return nil
		}
		r.most = 2 * n
		b.Records = b.Records[n:]
	}
}

// apply calls the processor with a batch, without the records that are to be
// parked, until all of it is applied. If the processor names more of them, apply calls
// another one without those.
func (r *reading) apply(ctx context.Context, b shardreader.Batch) error {
	for {
		good, park := r.sort(b)
		applied := 0 // of b's records, by this call
		whole := false
		commit := func(ctx context.Context, tx pgx.Tx, upTo ...shardreader.Position) error {
			st, n, err := r.stepUpTo(b, park, applied, upTo)
			if err == nil {
				err = r.g.store.commit(ctx, tx, st)
			}
			if err != nil {
				return err
			}
			applied, whole, r.committed, r.gap = n, n == len(b.Records), st.next, nil
			return nil
		}

		var err error
		if len(good.Records) > 0 {
			err = r.processor.Process(ctx, good, commit)
		} else {
			err = r.g.store.begin(ctx, func(tx pgx.Tx) error { return commit(ctx, tx) }) // nothing left to process
		}

		switch {
		case err == nil && whole:
			clear(r.tries)
			clear(r.toPark)
			return nil
		case err == nil && applied == 0:
			// The processor has perhaps written nothing, and the next batch's checkpoint
			// would pass over this one without a trace.
			return fmt.Errorf("shardgroup: the processor of %s returned without a checkpoint", r.lease.Shard)
		case err == nil:
			b.Records = b.Records[applied:]
			continue
		case !r.blame(err):
			return err
		}

		// A new Processor, as after any failure: what this one cached of the batch was
		// perhaps never committed. What it did commit does not come again; if it was rolled
		// back after all, the next commit finds another checkpoint than this one.
		b.Records = b.Records[applied:]
		r.processor = r.g.o.Processor(r.lease.Shard)
	}
}

// stepUpTo returns what a commit of b writes whose first records are applied already, and
// how many are with it: all of them, or those up to the record that upTo names.
func (r *reading) stepUpTo(b shardreader.Batch, park []parkedRecord, applied int, upTo []shardreader.Position) (st step, n int, err error) {
	n = len(b.Records)
	if len(upTo) > 0 {
		i := slices.IndexFunc(b.Records, func(rec shardreader.Record) bool { return rec.Position == upTo[0] })
		if i < applied {
			return step{}, 0, fmt.Errorf("shardgroup: a commit up to %v, which is no record of the batch that is not committed yet", upTo[0])
		}
		n = i + 1
	}

	// The checkpoint of all is at the end of the whole batch: parked records are done
	// with, too.
	st = r.step(b.Next)
	if n < len(b.Records) {
		st.next = b.Records[n-1].Position
	}
	st.records, st.closed, st.gap = n-applied, b.Closed && n == len(b.Records), r.gap
	if n > 0 {
		st.arrived = b.Records[n-1].Arrived
	}
	for _, rec := range b.Records[applied:n] {
		if i := slices.IndexFunc(park, func(p parkedRecord) bool { return p.Position == rec.Position }); i >= 0 {
			st.parked = append(st.parked, park[i])
		}
	}
	return st, n, nil
}

// sort takes the records that are to be parked out of a batch.
func (r *reading) sort(b shardreader.Batch) (shardreader.Batch, []parkedRecord) {
	if len(r.toPark) == 0 {
		return b, nil
	}

	good := b
	good.Records = nil
	var park []parkedRecord
	for _, rec := range b.Records {
		if reason, ok := r.toPark[rec.Position]; ok {
			park = append(park, parkedRecord{Record: rec, reason: reason})
		} else {
			good.Records = append(good.Records, rec)
		}
	}
	return good, park
}

// blame marks the records that err names for parking, and reports whether one was
// marked that was not before.
func (r *reading) blame(err error) bool {
	//excerpt:blame
	marked := false
	for _, e := range recordErrors(err) {
		// Under Stop a record is never hopeless: its shard waits for a better try.
		r.tries[e.Position]++
		hopeless := r.g.o.Poison == Park && r.tries[e.Position] >= r.g.o.MaxTries
		if _, already := r.toPark[e.Position]; already || !hopeless && !errors.Is(e, ErrUndecodable) && !errors.Is(e, ErrRefused) {
			continue
		}

		r.toPark[e.Position] = e.Err.Error()
		marked = true
		r.g.o.Log.Error("parking a record", "shard", r.lease.Shard, "sequence", e.Position.Sequence, "sub", e.Position.Sub, "err", e.Err)
	}
	return marked
	//excerpt:end
}

// step returns what every transaction of this reading writes.
func (r *reading) step(next shardreader.Position) step {
	return step{stream: r.life.id, lease: r.lease, from: r.committed, next: next}
}

// write commits a step that has no rows of a processor.
func (r *reading) write(st step) error {
	return r.g.store.begin(r.work, func(tx pgx.Tx) error { return r.g.store.commit(r.work, tx, st) })
}
