package shardreader

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	catchUpCalls = 4.0  // calls a second while behind
	minCalls     = 0.1  // however often we are throttled
	callsStep    = 0.05 // what a success adds to the rate after it was cut
	bytesSteps   = 20   // so many successes lead from nothing to all of the bytes
)

// pace decides how long to wait between two calls for one shard: additive
// increase, multiplicative decrease (AIMD), so that readers that know nothing
// of each other come to equal shares.
type pace struct {
	atTip float64 // calls a second at the tip
	bytes float64 // bytes a second that we allow ourselves now
	most  float64 // bytes a second, if nobody else reads
	rate  float64 // calls a second that we allow ourselves now
}

func newPace(pollEvery time.Duration, bytes int) *pace {
	return &pace{atTip: 1 / pollEvery.Seconds(), bytes: float64(bytes) / 2, most: float64(bytes), rate: catchUpCalls}
}

// ok returns the time from the start of a call that brought n bytes to the next.
func (p *pace) ok(n int, behind bool) time.Duration {
	p.rate = min(p.rate+callsStep, max(catchUpCalls, p.atTip))
	p.bytes = min(p.bytes+p.most/bytesSteps, p.most)

	// Both bounds must hold: calls a second and bytes a second, because the shard's
	// limits of both are shared with the others that poll it. The wait for bytes is not
	// shortened: a call that comes too early is throttled, and that halves the pace.
	return max(jitter(seconds(1/p.calls(behind))), seconds(float64(n)/p.bytes))
}

// calls returns how many calls a second are allowed now.
func (p *pace) calls(behind bool) float64 {
	if behind {
		return p.rate
	}
	return min(p.rate, p.atTip)
}

// records returns for how many records the next call may ask where they have so many
// bytes each: those that are allowed until the call after it. More would only come in a
// lump that keeps every reader of the shard waiting, and the pace rises by calls.
func (p *pace) records(each float64, behind bool) int32 {
	return max(int32(min(p.bytes/p.calls(behind), p.most)/max(each, 1)), 1)
}

// throttled returns the time to wait after a call that was refused. At the tip
// the rate that was really used is halved, not the one that was allowed: else
// the first cuts would change nothing.
func (p *pace) throttled(behind bool) time.Duration {
	if !behind {
		p.rate = min(p.rate, p.atTip)
	}
	p.rate = max(p.rate/2, minCalls)
	p.bytes = max(p.bytes/2, p.most/bytesSteps) // nobody says which of the shard's limits it was
	return jitter(seconds(1 / p.rate))
}

const (
	firstEach    = 20_000 // bytes that a record is taken to have before one has come
	firstRecords = 500    // what a first call asks for
	leastRecords = 50
)

// size decides how many records a call asks for: so many as are answered well
// within the call's time-out. A server that takes long over each record
// (LocalStack: 0.2 ms to 1 ms, and one call at a time) would else never answer in
// time, and a call that was given up costs it as much as an answer.
type size struct {
	now, most int32
	timeout   time.Duration // of a call
}

func newSize(most int32, timeout time.Duration) size {
	return size{now: min(firstRecords, most), most: most, timeout: timeout}
}

// answered notes how long an answer took.
func (z *size) answered(took time.Duration) {
	switch {
	case took > z.timeout/2:
		z.now = max(z.now/2, min(leastRecords, z.most))
	case took < z.timeout/8:
		z.now = min(2*z.now, z.most)
	}
}

// timedOut notes that there was no answer in time.
func (z *size) timedOut() { z.answered(z.timeout) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// jitter shortens d by up to a fifth, at random, so that readers which were
// throttled together do not call together again.
func jitter(d time.Duration) time.Duration {
	if d <= 0 { // the handler took longer than the wait
		return 0
	}
	return d - time.Duration(rand.Int64N(int64(d)/5+1))
}

// sleep waits for d or for ctx, whose error it returns.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}

	t := time.NewTimer(d)
	defer t.Stop()

	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
