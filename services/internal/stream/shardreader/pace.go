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
)

// pace says how long to wait between two calls for one shard: additive
// increase, multiplicative decrease.
type pace struct {
	atTip float64 // calls a second at the tip
	bytes float64 // bytes a second
	rate  float64 // calls a second that we allow ourselves now
}

func newPace(pollEvery time.Duration, bytes int) *pace {
	return &pace{atTip: 1 / pollEvery.Seconds(), bytes: float64(bytes), rate: catchUpCalls}
}

// ok gives the time from the start of a call that brought n bytes to the next.
func (p *pace) ok(n int, behind bool) time.Duration {
	p.rate = min(p.rate+callsStep, max(catchUpCalls, p.atTip))
	rate := p.rate
	if !behind {
		rate = min(rate, p.atTip)
	}
	return max(seconds(1/rate), seconds(float64(n)/p.bytes))
}

// throttled gives the time to wait after a call that was refused. It starts
// from what was really used, so that the first cut bites.
func (p *pace) throttled(behind bool) time.Duration {
	if !behind {
		p.rate = min(p.rate, p.atTip)
	}
	p.rate = max(p.rate/2, minCalls)
	return seconds(1 / p.rate)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// jitter spreads d over its upper fifth, so that readers do not march in step.
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
