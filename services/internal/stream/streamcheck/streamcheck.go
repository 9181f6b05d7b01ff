// Package streamcheck checks that the stream which a service needs exists and fits,
// and reports in one sentence what is wrong.
//
// It keeps checking, with backoff, until the stream fits. Where the number of shards is
// bounded it then checks again each minute, and soon after Recheck: a stream that outgrew
// its bound while the service ran is logged and reported. Ready stays as it is by then:
// the shards above the bound are empty, and to stop for them would lose more. A stream
// that is lost later is noticed by those who use it. Checking delays nobody: what is put
// or read meanwhile fails, and is tried again.
package streamcheck

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/cenkalti/backoff/v5"
)

// Client is the part of *kinesis.Client that a Checker uses.
type Client interface {
	DescribeStreamSummary(context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error)
}

// Options of a Checker: the stream, and what is asked of it.
type Options struct {
	Client    Client
	Stream    string
	MaxShards int          // open shards at most; 0: any number
	Log       *slog.Logger // nil: silent
	// Report, when set, is called by Run after each check that Kinesis answered for a
	// stream that exists, with the number of its open shards. It must not block.
	Report func(openShards int)
}

// SetupError is an error in one sentence that anybody may read.
type SetupError struct{ sentence string }

func (m *SetupError) Error() string { return m.sentence }

// Advice is the sentence.
func (m *SetupError) Advice() string { return m.sentence }

// Checker checks one stream while Run runs.
type Checker struct {
	o     Options
	again chan struct{} // tells Run to check again

	mu  sync.Mutex
	err error
}

const (
	checkWithin = 5 * time.Second
	firstPause  = 200 * time.Millisecond
	lastPause   = 10 * time.Second
	// every is the time between checks of a stream that fits: DescribeStreamSummary
	// takes 20 calls a second of a whole account.
	every = time.Minute
	// soon is the least time between two checks, however often somebody asks.
	soon = 5 * time.Second
)

// New returns a Checker that has checked nothing yet. The error names the option
// that is wrong.
func New(o Options) (*Checker, error) {
	switch {
	case o.Client == nil || o.Stream == "":
		return nil, errors.New("streamcheck: Client and Stream are needed")
	case o.MaxShards < 0:
		return nil, fmt.Errorf("streamcheck: Options.MaxShards is %d; allowed is 0 or more", o.MaxShards)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Checker{o: o, again: make(chan struct{}, 1), err: &SetupError{fmt.Sprintf("stream %s has not answered yet", o.Stream)}}, nil
}

// Ready returns nil once the stream fits, else a *SetupError or what Kinesis said.
func (c *Checker) Ready(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Recheck lets Run check again soon: some shard is new, say. It does not block.
func (c *Checker) Recheck() {
	select {
	case c.again <- struct{}{}:
	default: // one that waits stands for all
	}
}

// Run checks until ctx ends and returns nil.
func (c *Checker) Run(ctx context.Context) error {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = firstPause, lastPause
	logged, fitted := "", false
	for {
		open, err := c.look(ctx)
		if c.o.Report != nil && open > 0 {
			c.o.Report(open)
		}

		pause, again := every+rand.N(every/8), c.again // not all services in the same moment
		if err == nil && logged != "" {
			logged = ""
			c.o.Log.Info("the stream is as this service needs it", "stream", c.o.Stream)
		}
		if fitted = fitted || err == nil; !fitted {
			pause, again = retry.NextBackOff(), nil
		}
		if !fitted || err == nil {
			c.mu.Lock()
			c.err = err
			c.mu.Unlock()
		}

		// Each reason once, not at each try. Of a stream that did fit, only what is known
		// to be wrong: that it cannot be asked for a while is its users' to notice.
		var wrong *SetupError
		if err != nil && ctx.Err() == nil && (!fitted || errors.As(err, &wrong)) {
			if now := err.Error(); now != logged {
				logged = now
				c.o.Log.Error("the stream is not as this service needs it; checking again", "stream", c.o.Stream, "err", err)
			}
		}

		if fitted && c.o.MaxShards == 0 {
			<-ctx.Done() // ending now would end the service that runs it
			return nil
		}
		if !wait(ctx, pause, again) {
			return nil
		}
	}
}

// wait waits for pause, or soon after somebody asks on again, and reports whether ctx goes on.
func wait(ctx context.Context, pause time.Duration, again <-chan struct{}) bool {
	least, most := time.NewTimer(min(soon, pause)), time.NewTimer(pause)
	defer least.Stop()
	defer most.Stop()

	select {
	case <-ctx.Done():
		return false
	case <-least.C:
	}
	select {
	case <-ctx.Done():
		return false
	case <-again:
	case <-most.C:
	}
	return true
}

// Check checks once.
func (c *Checker) Check(ctx context.Context) error {
	_, err := c.look(ctx)
	return err
}

// look checks once and returns the number of open shards too; 0 where it is not known.
func (c *Checker) look(ctx context.Context) (open int, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()

	out, err := c.o.Client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &c.o.Stream})
	var gone *types.ResourceNotFoundException
	switch {
	case errors.As(err, &gone):
		return 0, &SetupError{fmt.Sprintf("stream %s does not exist: deploy it", c.o.Stream)}
	case err != nil:
		return 0, fmt.Errorf("stream %s: %w", c.o.Stream, err)
	}

	// A stream that is being resharded (UPDATING) takes and serves records.
	s := out.StreamDescriptionSummary
	open = int(aws.ToInt32(s.OpenShardCount))
	switch {
	case s.StreamStatus != types.StreamStatusActive && s.StreamStatus != types.StreamStatusUpdating:
		return open, &SetupError{fmt.Sprintf("stream %s is %s: wait until it is ACTIVE", c.o.Stream, s.StreamStatus)}
	case c.o.MaxShards > 0 && open > c.o.MaxShards:
		return open, &SetupError{fmt.Sprintf("stream %s has %d open shards, and no more than %d can be used: set its shards to %d or fewer", c.o.Stream, open, c.o.MaxShards, c.o.MaxShards)}
	}
	return open, nil
}
