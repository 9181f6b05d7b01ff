package deadletter

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem/services/domain/ride"
	"tandem/services/internal/problem"
	"tandem/services/internal/queue/outbox"
)

// Outbox is the place of the outbox's rows that SQS refuses for good.
const Outbox = "outbox"

func letterOfRow(r outbox.SetAsideRow) Letter {
	return Letter{
		Place: Outbox, ID: r.ID, Source: r.Queue, Reason: shorten(r.Reason, shownText),
		SentAt: new(r.AddedAt.UTC()), Receives: r.Tries, Group: r.Key,
	}
}

func (t *Tool) listOutbox(ctx context.Context) (Listing, error) {
	out := Listing{Place: Outbox, Letters: []Letter{}}
	rows, err := ride.Outbox().SetAside(ctx, t.o.Pool, Limit)
	if err != nil {
		return out, fmt.Errorf("deadletter: %w", err)
	}

	for _, r := range rows {
		l := letterOfRow(r)
		t.tell(ctx, &l, string(r.Body))
		out.Letters = append(out.Letters, l)
	}

	out.Total = new(len(rows))
	if len(rows) == Limit {
		s, err := ride.Outbox().Stats(ctx, t.o.Pool)
		if err != nil {
			return out, fmt.Errorf("deadletter: %w", err)
		}
		out.Total = &s.SetAside
	}
	return out, nil
}

// setAside returns a row that is set aside.
func setAside(ctx context.Context, q outbox.Querier, id string) (outbox.SetAsideRow, error) {
	r, err := ride.Outbox().OneSetAside(ctx, q, id)
	switch {
	case errors.Is(err, outbox.ErrNotSetAside):
		return r, noRow(id)
	case err != nil:
		return r, fmt.Errorf("deadletter: %w", err)
	}
	return r, nil
}

func noRow(id string) error {
	return problem.New(problem.NotFound, "No row %s of the outbox is set aside. It may have been sent again or discarded already: list them again.", shorten(id, 80))
}

func (t *Tool) showOutbox(ctx context.Context, id string) (Detail, error) {
	r, err := setAside(ctx, t.o.Pool, id)
	if err != nil {
		return Detail{}, err
	}

	d := Detail{Letter: letterOfRow(r), Attributes: map[string]string{}}
	for k, v := range r.Attributes {
		d.Attributes[k] = shorten(v, shownText)
	}

	t.describe(ctx, &d, string(r.Body))
	return d, nil
}

// sendAgain returns a row to the relay.
func (t *Tool) sendAgain(ctx context.Context, id string, by By) (Act, error) {
	return t.actOnRow(ctx, ActSendAgain, id, by, "the relay sends it, once it has got its turn", ride.Outbox().SendAgain)
}

func (t *Tool) discardOutbox(ctx context.Context, id string, by By) (Act, error) {
	return t.actOnRow(ctx, ActDiscard, id, by, "deleted", ride.Outbox().Discard)
}

// actOnRow changes a row and writes the act with its outcome in one transaction: both
// happen, or neither.
func (t *Tool) actOnRow(ctx context.Context, act, id string, by By, result string, do func(context.Context, pgx.Tx, string) error) (out Act, err error) {
	if err := by.Check(act); err != nil {
		return out, err
	}

	// Before the transaction: a connection that waits for a second one, of a small pool,
	// may wait for others that do the same.
	r, err := setAside(ctx, t.o.Pool, id)
	if err != nil {
		return out, err
	}
	l := letterOfRow(r)
	t.tell(ctx, &l, string(r.Body))

	err = pgx.BeginFunc(ctx, t.o.Pool, func(tx pgx.Tx) error {
		// Somebody else may have been faster since.
		if err := do(ctx, tx, id); errors.Is(err, outbox.ErrNotSetAside) {
			return noRow(id)
		} else if err != nil {
			return err
		}

		n, err := intend(ctx, tx, act, by, l)
		if err != nil {
			return err
		}
		out = actOf(n, act, l, by)
		out.Outcome, out.Result, out.EndedAt = OutcomeDone, result, &out.At
		return conclude(ctx, tx, n, OutcomeDone, result)
	})
	if err != nil {
		return Act{}, err
	}

	t.o.Log.Info("dead letter", "act", act, "by", by.Who, "verified", by.Verified, "place", Outbox, "id", id, "why", by.Why)
	return out, nil
}
