// Package streamcheck checks, when a service starts, that the stream which it
// needs exists and fits, and reports in one sentence what is wrong.
//
// It keeps checking, with backoff, until the stream fits, and then stops: a
// stream that is resharded or lost later is noticed by those who use it. It
// delays nobody: what is put or read meanwhile fails, and is tried again.
package streamcheck

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
}

// SetupError is an error in one sentence that anybody may read.
type SetupError struct{ sentence string }

func (m *SetupError) Error() string { return m.sentence }

// Advice is the sentence.
func (m *SetupError) Advice() string { return m.sentence }

// Checker checks one stream while Run runs.
type Checker struct {
	o   Options
	mu  sync.Mutex
	err error
}

const (
	checkWithin = 5 * time.Second
	firstPause  = 200 * time.Millisecond
	lastPause   = 10 * time.Second
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
	return &Checker{o: o, err: &SetupError{fmt.Sprintf("stream %s has not answered yet", o.Stream)}}, nil
}

// Ready returns nil once the stream fits, else a *SetupError or what Kinesis said.
func (c *Checker) Ready(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Run checks until the stream fits, then waits for ctx to end and returns nil.
func (c *Checker) Run(ctx context.Context) error {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = firstPause, lastPause
	logged := ""
	for {
		err := c.Check(ctx)
		c.mu.Lock()
		c.err = err
		c.mu.Unlock()

		if err == nil {
			<-ctx.Done() // ending now would end the service that runs it
			return nil
		}

		// Each reason once, not at each try.
		if now := err.Error(); now != logged && ctx.Err() == nil {
			logged = now
			c.o.Log.Error("the stream is not as this service needs it; checking again", "stream", c.o.Stream, "err", err)
		}

		t := time.NewTimer(retry.NextBackOff())
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

// Check checks once.
func (c *Checker) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()

	out, err := c.o.Client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &c.o.Stream})
	var gone *types.ResourceNotFoundException
	switch {
	case errors.As(err, &gone):
		return &SetupError{fmt.Sprintf("stream %s does not exist: deploy it", c.o.Stream)}
	case err != nil:
		return fmt.Errorf("stream %s: %w", c.o.Stream, err)
	}

	// A stream that is being resharded (UPDATING) takes and serves records.
	s := out.StreamDescriptionSummary
	switch open := int(aws.ToInt32(s.OpenShardCount)); {
	case s.StreamStatus != types.StreamStatusActive && s.StreamStatus != types.StreamStatusUpdating:
		return &SetupError{fmt.Sprintf("stream %s is %s: wait until it is ACTIVE", c.o.Stream, s.StreamStatus)}
	case c.o.MaxShards > 0 && open > c.o.MaxShards:
		return &SetupError{fmt.Sprintf("stream %s has %d open shards, and no more than %d can be used: set its shards to %d or fewer", c.o.Stream, open, c.o.MaxShards, c.o.MaxShards)}
	}
	return nil
}
