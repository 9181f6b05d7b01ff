package kinesisproducer

import (
	"time"

	"tandem/services/internal/stream/kpl"
)

// item is one piece of data that was put.
type item struct {
	key    string
	data   []byte
	since  time.Time // when it was put
	put    *put
	number int // of its put
	trace  string
}

// record is an aggregate in flight: the same bytes at each try.
type record struct {
	bucket int
	key    string // the record's partition key: the first item's
	data   []byte
	items  int
	tries  int
	after  time.Time // it is not sent before
	// company is how many records its call may have; 0: any number.
	company int
}

// bucketQueue is one bucket's items, in order.
type bucketQueue struct {
	hashKey  string
	waiting  []*item
	inFlight []*item // of the record that was cut and not acknowledged yet
	retry    *record // that record, while it waits to be sent again
	cutAt    time.Time
	atMost   int    // items of the next record, after one that was refused; 0: any number
	shard    string // that its last record was stored on

	fail    error     // why the bucket's last record failed; nil: it was acknowledged
	failing time.Time // since when its records fail
	failed  time.Time // when the last of them did
	acked   time.Time // when the bucket's last record was acknowledged
}

// due returns how long until the bucket's next record may be sent; false where
// nothing waits, or a record is in flight. spacing is the time from one record of the
// bucket to the next, nextCall the time before which no call is made for what may wait.
func (q *bucketQueue) due(now time.Time, o Options, spacing time.Duration, nextCall time.Time, draining bool) (time.Duration, bool) {
	// A record that failed goes before anything behind it.
	if q.retry != nil {
		return q.retry.after.Sub(now), true
	}

	// One record in flight for each bucket: this line is what keeps the order.
	if len(q.inFlight) > 0 || len(q.waiting) == 0 {
		return 0, false
	}

	if draining || q.atMost > 0 || q.full(o.AggregateMax) {
		return 0, true
	}

	// Of a bucket that was idle an item is sent with the next call. In a busy one it waits
	// for others, so that the shard's records stay few, but never longer than Linger.
	wait := min(q.cutAt.Add(spacing).Sub(now), q.waiting[0].since.Add(o.Linger).Sub(now))
	return max(wait, nextCall.Sub(now)), true
}

// take returns the record to send next, which is in flight from then on.
func (q *bucketQueue) take(bucket int, o Options, now time.Time) *record {
	if r := q.retry; r != nil {
		q.retry = nil
		return r
	}
	q.cutAt = now
	return q.cut(bucket, o)
}

// company is how many records the call of the bucket's next one may have.
func (q *bucketQueue) company() int {
	switch {
	case q.retry != nil && q.retry.company > 0:
		return q.retry.company
	case q.atMost > 0:
		return 1 // the refused item may be in it
	}
	return maxCallRecords
}

// cut packs items from the front of the queue into a record, which is in flight
// from then on; nil where the first item cannot be packed.
func (q *bucketQueue) cut(bucket int, o Options) *record {
	agg := kpl.NewAggregate(q.hashKey, o.AggregateMax)
	n := 0
	for n < len(q.waiting) && (q.atMost == 0 || n < q.atMost) && agg.AddTraced(q.waiting[n].key, q.waiting[n].data, q.waiting[n].trace) {
		n++
	}

	data, err := agg.Encode()
	if err != nil || n == 0 {
		// Put refuses what does not fit alone, so this does not happen. If it
		// did, the queue would stand still until its Puts give up.
		o.Log.Error("data cannot be packed", "bucket", bucket, "err", err)
		return nil
	}

	// The rest is copied, so that the sent items' memory is not kept by the
	// array under it.
	q.inFlight = append(q.inFlight, q.waiting[:n]...)
	q.waiting = append(q.waiting[:0:0], q.waiting[n:]...)
	return &record{bucket: bucket, key: q.inFlight[0].key, data: data, items: n}
}

// full reports whether what waits fills a record of limit bytes.
func (q *bucketQueue) full(limit int) bool {
	size := 0
	for _, it := range q.waiting {
		if size += len(it.data); size >= limit {
			return true
		}
	}
	return false
}
