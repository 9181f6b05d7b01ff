package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Client is the part of *sqs.Client that a Relay uses.
type Client interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
}

// Sent is a row that SQS has acknowledged.
type Sent struct {
	ID, Queue, Key string
	MessageID      string // SQS's: for people to look at, not for deduplication
	Delay          time.Duration
}

// Options configures a Relay. Pool, Client and Box are needed.
type Options struct {
	Pool   *pgxpool.Pool
	Client Client
	Box    Box
	Log    *slog.Logger // nil: silent
	// Queues, where named, are looked up at the start, so that Ready reports a
	// missing one before there is a message for it.
	Queues []string
	// Wake receives when rows may have been added; nil: the relay only polls.
	Wake <-chan struct{}
	// PollEvery is how often the relay looks for rows without a wake. 0: 1 s.
	PollEvery time.Duration
	// SendWithin bounds the send of one batch. Where the sessions have a shorter
	// idle_in_transaction_session_timeout, half of that bounds it. 0: 4 s.
	SendWithin time.Duration
	// KeepSent is how long sent rows are kept to look at. 0: one hour.
	KeepSent time.Duration
	// OnSent, where set, runs in the transaction that marks the rows as sent, and
	// waits for a lock for half a second at most. If it fails for several rows, it
	// is called for each of them alone; if it fails for one, what it wrote is
	// rolled back and its error logged. The row stays marked as sent.
	OnSent func(ctx context.Context, tx pgx.Tx, sent []Sent) error
}

const (
	pruneEvery = time.Minute
	checkEvery = 5 * time.Second
)

// Relay sends rows. Any number may run: one works at a time.
type Relay struct {
	o Options

	mu       sync.Mutex
	urls     map[string]string
	queueErr map[string]error // by queue: why nothing can be sent to it
	rest     map[string]rest  // by queue
	alone    map[string]int   // by queue: how many of its next batches have one row
	roundErr error            // the last round's
}

// NewRelay returns a relay; Run runs it.
func NewRelay(o Options) *Relay {
	o.PollEvery = cmp.Or(o.PollEvery, time.Second)
	o.SendWithin = cmp.Or(o.SendWithin, 4*time.Second)
	o.KeepSent = cmp.Or(o.KeepSent, time.Hour)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	return &Relay{o: o, urls: map[string]string{}, queueErr: map[string]error{}, rest: map[string]rest{}, alone: map[string]int{}}
}

// Run sends rows until ctx ends, and then returns nil. What failed is tried again.
func (r *Relay) Run(ctx context.Context) error {
	poll, prune, check := time.NewTicker(r.o.PollEvery), time.NewTicker(pruneEvery), time.NewTicker(checkEvery)
	defer poll.Stop()
	defer prune.Stop()
	defer check.Stop()

	always := make(chan struct{})
	close(always)

	r.checkQueues(ctx)
	for ctx.Err() == nil {
		n, err := r.Round(ctx)
		r.setRoundErr(err)

		// After a round that moved something there may be more to do, if only the
		// next rows of the same keys. Pruning still gets its turn.
		var more <-chan struct{}
		if n > 0 {
			more = always
		}

		// A wake may be lost, and a row may become due without one, so polling
		// goes on beside the wakes.
		select {
		case <-ctx.Done():
		case <-more:
		case <-r.o.Wake:
		case <-poll.C:
		case <-check.C:
			r.checkQueues(ctx)
		case <-prune.C:
			if err := r.prune(ctx); err != nil && ctx.Err() == nil {
				r.o.Log.Warn("sent messages were not pruned; it is tried again in a minute", "err", err)
			}
		}
	}
	return nil
}

// Ready returns nil, or why messages cannot be sent now.
func (r *Relay) Ready(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()

	for _, queue := range slices.Sorted(maps.Keys(r.queueErr)) {
		return fmt.Errorf("outbox: %s: %w", queue, r.queueErr[queue])
	}
	return r.roundErr
}

func (r *Relay) setRoundErr(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()

	if errors.Is(err, context.Canceled) { // Run is ending; nothing is wrong
		return
	}

	if err != nil && r.roundErr == nil {
		r.o.Log.Warn("messages cannot be sent; they wait in the outbox", "err", err)
	}
	r.roundErr = err
}
