package deadletter

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"tandem/services/internal/problem"
)

const (
	batch    = 10    // what SQS hands out, and takes back, in one call
	searched = 1_000 // messages that an act looks through
	// answerWithin is how long SQS, or the database, may take where a caller's leaving
	// must not cut a call short.
	answerWithin = 5 * time.Second
)

// look has received messages of a queue, which are hidden from everybody else until
// release or until Hold has passed.
type look struct {
	t     *Tool
	queue *queue
	url   *string
	held  map[string]types.Message // by message id
	since time.Time
}

// begin begins a look. The caller holds queue.using.
func (t *Tool) begin(ctx context.Context, q *queue) (*look, error) {
	url, err := t.url(ctx, q.name)
	if err != nil {
		return nil, err
	}
	return &look{t: t, queue: q, url: url, held: map[string]types.Message{}, since: time.Now()}, nil
}

// more receives up to most messages, and at most ten.
func (l *look) more(ctx context.Context, most int) ([]types.Message, error) {
	// A receive that has begun is waited for although the caller has left: what it brings
	// would stay hidden from everybody, and nobody would know of it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()

	out, err := l.t.o.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: l.url, MaxNumberOfMessages: int32(min(most, batch)), VisibilityTimeout: seconds(l.t.o.Hold),
		// A second's wait asks all of SQS's servers; without it, one may know of nothing.
		WaitTimeSeconds:             1,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		MessageAttributeNames:       []string{"All"},
	})
	if err != nil {
		return nil, silent(err)
	}

	// A standard queue may hand out one of them twice; only its last receipt is valid.
	for _, m := range out.Messages {
		l.held[text(m.MessageId)] = m
	}
	return out.Messages, nil
}

// goesOn reports whether there is time for another receive: half of Hold, so that the
// first message is still hidden when the last one comes, and is not received again.
func (l *look) goesOn(ctx context.Context) bool {
	return ctx.Err() == nil && time.Since(l.since) < l.t.o.Hold/2
}

// release makes all messages visible again, except the ones that are kept. It is done
// although ctx has ended, since it would hide them from everybody for the rest of Hold.
func (l *look) release(ctx context.Context, keep ...string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()

	var entries []types.ChangeMessageVisibilityBatchRequestEntry
	for id, m := range l.held {
		if !slices.Contains(keep, id) {
			entries = append(entries, types.ChangeMessageVisibilityBatchRequestEntry{
				Id: new(strconv.Itoa(len(entries))), ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0,
			})
			delete(l.held, id)
		}
	}

	for chunk := range slices.Chunk(entries, batch) {
		out, err := l.t.o.Client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: l.url, Entries: chunk})
		if err != nil || len(out.Failed) > 0 {
			l.t.o.Log.Warn("dead letters stay hidden for a while", "queue", l.queue.name, "for", l.t.o.Hold, "err", err)
		}
	}
}

// find receives until the message is in hand, and releases the others. The caller acts
// on the message or releases it, before Hold has passed since look.since.
func (t *Tool) find(ctx context.Context, q *queue, id string) (*look, types.Message, error) {
	// A redrive of all and an act would take messages from each other.
	if err := t.refuseSecond(ctx, q.name); err != nil {
		return nil, types.Message{}, err
	}

	// A look in another process hides the message for Hold at most. By then it is visible,
	// or somebody has looked again.
	end := time.Now().Add(t.o.Hold + 3*time.Second)
	for {
		l, err := t.begin(ctx, q)
		if err != nil {
			return nil, types.Message{}, err
		}
		m, found, err := l.search(ctx, id)
		if found {
			return l, m, nil
		}
		if err == nil {
			err = l.gone(ctx, id)
		}
		if err != nil {
			return nil, types.Message{}, err
		}

		// Somebody else has messages in flight, this one perhaps among them.
		if time.Now().After(end) {
			return nil, types.Message{}, problem.New(problem.Conflict,
				"Others hold messages of %s, %s perhaps among them. Try again in a moment.", q.name, id)
		}
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return nil, types.Message{}, err
		}
	}
}

// search receives until the message comes or nothing more does, and releases what it
// does not look for. Not before: it would be received again.
func (l *look) search(ctx context.Context, id string) (m types.Message, found bool, err error) {
	defer func() { l.release(ctx, id) }()

	for len(l.held) < searched && l.goesOn(ctx) {
		got, err := l.more(ctx, batch)
		if m, found = l.held[id]; found {
			return m, true, nil
		}
		if err != nil || len(got) == 0 {
			return m, false, err
		}
	}
	return m, false, ctx.Err()
}

// gone returns the problem of a message that was not found, if nobody else holds
// messages of the queue: then it is not there, or cannot be reached.
func (l *look) gone(ctx context.Context, id string) error {
	counts, err := l.t.attributes(ctx, l.url)
	if err != nil {
		return err
	}

	visible, hidden := counts[string(types.QueueAttributeNameApproximateNumberOfMessages)], counts[string(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible)]
	if hidden != "0" {
		return nil
	}

	why := "It may have been redriven or discarded already: list them again."
	if l.queue.fifo() && visible != "0" {
		why = "It may have been redriven or discarded already; or it stands behind ten others of its group: deal with those first."
	}
	return problem.New(problem.NotFound, "No message %s was found in %s. %s", shorten(id, 80), l.queue.name, why)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// seconds is how SQS counts.
func seconds(d time.Duration) int32 { return int32(d / time.Second) } //nolint:gosec // some seconds

func isFIFO(queue string) bool { return strings.HasSuffix(queue, ".fifo") }
