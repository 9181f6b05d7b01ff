package kinesis

import "time"

// Limits of a shard and of calls.
// https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
const (
	writeRecords = 1000    // a second
	writeBytes   = 1 << 20 // a second
	readCalls    = 5       // a second
	readBytes    = 2 << 20 // a second, of GetRecords, and of each fan-out consumer

	maxGetRecords = 10_000
	maxGetBytes   = 10 << 20
	maxPutRecords = 500      // records a call
	maxPutBytes   = 10 << 20 // a call, keys included
	maxKey        = 256      // characters
	maxConsumers  = 20       // a stream
	// maxShards is the emulator's own: AWS's is a quota of the account.
	maxShards = 200

	throttled = "ProvisionedThroughputExceededException"
)

// bucket is a token bucket that holds one second's worth. Its level may fall
// below zero: what is larger than the bucket is let through when that is full.
type bucket struct {
	perSecond float64
	level     float64
	at        time.Time // zero: full
}

// refill adds what the time since the last call allows.
func (b *bucket) refill(now time.Time) {
	switch {
	case b.at.IsZero():
		b.level = b.perSecond
	case now.After(b.at):
		b.level = min(b.perSecond, b.level+b.perSecond*now.Sub(b.at).Seconds())
	default:
		return // the clock went back
	}
	b.at = now
}

// allows reports whether n may be taken now.
func (b *bucket) allows(n float64) bool { return b.level >= min(n, b.perSecond) }

// wait returns how long it takes until the level is no longer below zero.
func (b *bucket) wait() time.Duration {
	return time.Duration(max(0, -b.level) / b.perSecond * float64(time.Second))
}

// throttle is the state of a shard's limits; the shard's lock guards it.
type throttle struct {
	records, bytes bucket // writes
	calls          bucket // GetRecords
	readDebt       bucket // bytes of GetRecords, taken after the call
	readAgain      time.Time
}

func newThrottle() throttle {
	return throttle{
		records: bucket{perSecond: writeRecords}, bytes: bucket{perSecond: writeBytes},
		calls: bucket{perSecond: readCalls}, readDebt: bucket{perSecond: readBytes},
	}
}

// mayWrite reports whether the shard takes one more record of this size now, and
// counts it if so.
func (t *throttle) mayWrite(now time.Time, size int) bool {
	t.records.refill(now)
	t.bytes.refill(now)
	// Both buckets are looked at before either is charged: a refused record
	// costs nothing.
	if !t.records.allows(1) || !t.bytes.allows(float64(size)) {
		return false
	}

	t.records.level--
	t.bytes.level -= float64(size)
	return true
}

// mayRead reports whether GetRecords may be called now, and counts the call if
// so.
func (t *throttle) mayRead(now time.Time) bool {
	t.calls.refill(now)
	t.readDebt.refill(now)
	// Bytes are counted after a call, so they can only keep out the calls that
	// follow.
	if now.Before(t.readAgain) || t.readDebt.level < 0 || !t.calls.allows(1) {
		return false
	}

	t.calls.level--
	return true
}

// didRead counts what a call returned. One that returned more than a second's
// worth keeps later calls out for as long as that takes at the rate: 5 s for 10
// MiB.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
func (t *throttle) didRead(now time.Time, size int) {
	t.readDebt.level -= float64(size)
	if size > readBytes {
		t.readAgain = now.Add(time.Duration(float64(size) / readBytes * float64(time.Second)))
	}
}
