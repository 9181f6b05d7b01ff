package deadletter

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"tandem/services/domain/ride"
	"tandem/services/internal/problem"
)

// Limit is how many dead letters of one place are listed.
const Limit = 100

// Listing is what is in one place.
type Listing struct {
	Place string `json:"place"`
	// Total is about how many there are, by SQS's own count. It can be more than are
	// listed: beyond Limit, hidden by somebody who looks, or behind others of their
	// FIFO group. Null: not known.
	Total   *int     `json:"total"`
	Letters []Letter `json:"letters"` // oldest first
	// Moving is the newest redrive of all; null: there was none lately. While it runs,
	// no letters are listed.
	Moving *Move `json:"moving"`
	// Error is a sentence that says why nothing is listed; empty: it is.
	Error string `json:"error,omitempty"`
}

// ListAll returns what is in each place. That one cannot be listed keeps nobody from
// seeing the others.
func (t *Tool) ListAll(ctx context.Context) []Listing {
	out := make([]Listing, len(t.Places()))
	var all sync.WaitGroup
	for i, place := range t.Places() {
		all.Go(func() {
			l, err := t.List(ctx, place)
			if err != nil {
				t.o.Log.Warn("dead letters cannot be listed", "place", place, "err", err)
				l = Listing{Place: place, Letters: []Letter{}, Error: problem.From(err).Detail}
			}
			out[i] = l
		})
	}
	all.Wait()
	return out
}

// List returns a place's dead letters. It receives each of them: see the package's
// comment.
func (t *Tool) List(ctx context.Context, place string) (Listing, error) {
	if place == Outbox {
		return t.listOutbox(ctx)
	}

	q, err := t.queue(place)
	if err != nil {
		return Listing{}, err
	}

	out := Listing{Place: place, Letters: []Letter{}}

	moves, err := t.Moves(ctx, place)
	if err != nil {
		return out, err
	}

	if len(moves) > 0 {
		out.Moving = &moves[0]
	}

	// SQS does not move what is hidden, and might end the redrive without it: what is
	// left is listed afterwards.
	most := Limit
	if out.Moving != nil && out.Moving.Running() {
		most = 0
	}

	messages, total, err := t.receiveAll(ctx, q, most)
	if err != nil {
		return out, err
	}
	out.Total = total

	// What they are about is looked up when they are visible again.
	for _, m := range messages {
		l := letterOf(q, m)
		t.tell(ctx, &l, text(m.Body))
		out.Letters = append(out.Letters, l)
	}

	slices.SortFunc(out.Letters, func(a, b Letter) int {
		if a.SentAt == nil || b.SentAt == nil || a.SentAt.Equal(*b.SentAt) {
			return cmp.Compare(a.ID, b.ID)
		}
		return a.SentAt.Compare(*b.SentAt)
	})

	return out, nil
}

// receiveAll receives up to most messages, and makes them visible again.
func (t *Tool) receiveAll(ctx context.Context, q *queue, most int) (messages []types.Message, total *int, err error) {
	q.using.Lock()
	defer q.using.Unlock()

	l, err := t.begin(ctx, q)
	if err != nil {
		return nil, nil, err
	}

	counts, err := t.attributes(ctx, l.url)
	if err != nil {
		return nil, nil, err
	}

	visible := count(counts, types.QueueAttributeNameApproximateNumberOfMessages)
	hidden := count(counts, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible)
	if visible != nil && hidden != nil {
		total = new(*visible + *hidden)
	}

	defer l.release(ctx)
	for len(l.held) < most && l.goesOn(ctx) {
		got, err := l.more(ctx, most-len(l.held))
		if err != nil {
			return nil, nil, err
		}

		// With all that SQS counted in hand, nobody needs to wait for an empty answer.
		if len(got) == 0 || visible != nil && *visible > 0 && len(l.held) >= *visible {
			break
		}
	}
	return slices.Collect(maps.Values(l.held)), total, ctx.Err()
}

func count(attributes map[string]string, name types.QueueAttributeName) *int {
	n, err := strconv.Atoi(attributes[string(name)])
	if err != nil {
		return nil // a count that is missing is not 0
	}
	return &n
}

// Show returns one dead letter with its body and its ride's history.
func (t *Tool) Show(ctx context.Context, place, id string) (Detail, error) {
	if place == Outbox {
		return t.showOutbox(ctx, id)
	}

	q, err := t.queue(place)
	if err != nil {
		return Detail{}, err
	}

	m, err := t.glance(ctx, q, id)
	if err != nil {
		return Detail{}, err
	}

	d := Detail{Letter: letterOf(q, m), Attributes: attributesOf(m)}
	t.describe(ctx, &d, text(m.Body))
	return d, nil
}

// glance receives one message and makes it visible again.
func (t *Tool) glance(ctx context.Context, q *queue, id string) (types.Message, error) {
	q.using.Lock()
	defer q.using.Unlock()

	l, m, err := t.find(ctx, q, id)
	if err != nil {
		return m, err
	}
	l.release(ctx)
	return m, nil
}

// describe adds the body and the ride.
func (t *Tool) describe(ctx context.Context, d *Detail, body string) {
	d.Body, d.Bytes = shorten(body, shownBody), len(body)
	d.History = []ride.Event{}
	t.tell(ctx, &d.Letter, body)
	if d.Ride == nil || d.Ride.State == "" {
		return
	}

	events, err := t.rides.Events(ctx, d.Ride.ID, 0, Limit)
	if err != nil {
		t.o.Log.Warn("a dead letter's ride has no history to show", "ride_id", d.Ride.ID, "err", err)
		return
	}
	d.History = events
}
