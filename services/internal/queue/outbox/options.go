package outbox

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
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
	// SendWithin bounds the calls of one turn. Where the sessions have a shorter
	// idle_in_transaction_session_timeout, half of that bounds them. 0: 4 s.
	SendWithin time.Duration
	// KeepSent is how long sent rows are kept to look at. 0: one hour.
	KeepSent time.Duration
	// OnSent, where set, runs in the transaction that marks the rows as sent, with up
	// to 500 of them, several of one key perhaps. It waits for a lock for half a second
	// at most. If it fails for several rows, it is called for each half of them; if it
	// fails for one, what it wrote is rolled back and its error logged. After 5 s it
	// is not called any more in this transaction. The rows stay marked as sent.
	OnSent func(ctx context.Context, tx pgx.Tx, sent []Sent) error
}

func (o Options) withDefaults() (Options, error) {
	o.PollEvery = cmp.Or(o.PollEvery, time.Second)
	o.SendWithin = cmp.Or(o.SendWithin, 4*time.Second)
	o.KeepSent = cmp.Or(o.KeepSent, time.Hour)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	switch {
	case o.Pool == nil:
		return o, wrong("Pool", "nil", "a pool of connections to Postgres")
	case o.Client == nil:
		return o, wrong("Client", "nil", "a client of SQS")
	case o.Box.table == "":
		return o, wrong("Box", "the zero Box", "what New returns")
	case o.PollEvery < 0:
		return o, wrong("PollEvery", o.PollEvery, positive)
	case o.SendWithin < 0:
		return o, wrong("SendWithin", o.SendWithin, positive)
	case o.KeepSent < 0:
		return o, wrong("KeepSent", o.KeepSent, positive)
	}

	for _, q := range o.Queues {
		if !queueName.MatchString(q) {
			return o, wrong("Queues", fmt.Sprintf("%q", q), "the names of queues: 1 to 80 of A-Z a-z 0-9 _ and -, .fifo at the end of a FIFO queue's")
		}
	}
	return o, nil
}

const positive = "above 0, or 0 for the default"

func wrong(option string, is any, allowed string) error {
	return fmt.Errorf("outbox: Options.%s is %v; allowed is %s", option, is, allowed)
}
