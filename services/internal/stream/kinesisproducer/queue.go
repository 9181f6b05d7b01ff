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
}

// bucketQueue is one bucket's items, in order.
type bucketQueue struct {
	hashKey  string
	waiting  []*item
	inFlight []*item // of the record that was cut and not acknowledged yet
	retry    *record // that record, while it waits to be sent again

	fail    error     // why that record failed last; nil: it did not
	failing time.Time // since when it fails
	acked   time.Time // when the bucket's last record was acknowledged
}

// due returns how long until the bucket's next record may be sent; false where
// nothing waits, or a record is in flight.
func (q *bucketQueue) due(now time.Time, o Options, draining bool) (time.Duration, bool) {
	// A record that failed goes before anything behind it.
	if q.retry != nil {
		return q.retry.after.Sub(now), true
	}

	// One record in flight for each bucket: this line is what keeps the order.
	if len(q.inFlight) > 0 || len(q.waiting) == 0 {
		return 0, false
	}

	if draining || q.full(o.AggregateMax) {
		return 0, true
	}
	return o.Linger - now.Sub(q.waiting[0].since), true
}

// take returns the record to send next, which is in flight from then on.
func (q *bucketQueue) take(bucket int, o Options) *record {
	if r := q.retry; r != nil {
		q.retry = nil
		return r
	}
	return q.cut(bucket, o)
}

// cut packs items from the front of the queue into a record, which is in flight
// from then on; nil where the first item cannot be packed.
func (q *bucketQueue) cut(bucket int, o Options) *record {
	agg := kpl.NewAggregate(q.hashKey, o.AggregateMax)
	n := 0
	for n < len(q.waiting) && agg.AddTraced(q.waiting[n].key, q.waiting[n].data, q.waiting[n].trace) {
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
