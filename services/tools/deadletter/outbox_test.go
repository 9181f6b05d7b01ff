package deadletter_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/ride"
	"tandem/services/internal/problem"
	"tandem/services/internal/queue/outbox"
	"tandem/services/tools/deadletter"
)

// refuse adds a row to the outbox that SQS has refused for good.
func (s *stage) refuse(body string) string {
	s.t.Helper()
	id := uuid.NewString()
	require.NoError(s.t, pgx.BeginFunc(s.t.Context(), s.pool, func(tx pgx.Tx) error {
		return ride.Outbox().Add(s.t.Context(), tx, outbox.Message{ID: id, Queue: event.QueueRideRequests, Key: "k", Body: []byte(body)})
	}))
	_, err := s.pool.Exec(s.t.Context(), `UPDATE ride.outbox SET set_aside_at = now(), last_error = 'InvalidMessageContents', tries = 1 WHERE id = $1`, id)
	require.NoError(s.t, err)
	return id
}

func TestRowsOfTheOutbox(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	r := s.book("k1")
	again, gone := s.refuse(request(t, r.ID, 1)), s.refuse("not json")

	l := s.list(deadletter.Outbox)
	require.Len(t, l.Letters, 2)
	require.Equal(t, []string{again, event.QueueRideRequests, "InvalidMessageContents", r.ID}, []string{l.Letters[0].ID, l.Letters[0].Source, l.Letters[0].Reason, l.Letters[0].Ride.ID})
	require.Equal(t, "no JSON", l.Letters[1].About)
	d, err := s.tool.Show(t.Context(), deadletter.Outbox, again)
	require.NoError(t, err)
	require.NotEmpty(t, d.History)

	// Without the act nothing is changed, in the one transaction.
	_, err = s.pool.Exec(t.Context(), `ALTER TABLE operations.acts ADD CONSTRAINT none CHECK (false)`)
	require.NoError(t, err)
	_, err = s.tool.Redrive(t.Context(), deadletter.Outbox, again, ops)
	require.Error(t, err)
	_, err = s.tool.Discard(t.Context(), deadletter.Outbox, gone, deadletter.By{Who: "ops", Why: "control characters"})
	require.Error(t, err)
	require.Len(t, s.list(deadletter.Outbox).Letters, 2)
	_, err = s.pool.Exec(t.Context(), `ALTER TABLE operations.acts DROP CONSTRAINT none`)
	require.NoError(t, err)

	_, err = s.tool.Redrive(t.Context(), deadletter.Outbox, again, ops)
	require.NoError(t, err)
	_, err = s.tool.Discard(t.Context(), deadletter.Outbox, gone, deadletter.By{Who: "ops", Why: "control characters"})
	require.NoError(t, err)
	require.Empty(t, s.list(deadletter.Outbox).Letters)
	stats, err := ride.Outbox().Stats(context.Background(), s.pool)
	require.NoError(t, err)
	require.Equal(t, 2, stats.Unsent, "the relay has it again, beside the ride's own")
	require.Equal(t, []string{"discard outbox by ops: done", "send again outbox by ops: done"}, s.acts())

	for _, id := range []string{again, gone, uuid.NewString(), "x"} {
		_, err = s.tool.Redrive(t.Context(), deadletter.Outbox, id, ops)
		require.Equal(t, problem.NotFound, codeOf(err), id)
	}
	require.Len(t, s.acts(), 2)
}

// An act that held one connection while it waited for a second would wait for ever where
// as many people as there are connections act at once.
func TestAnActOnARowNeedsOneConnection(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	id := s.refuse(request(t, s.book("k1").ID, 1))
	one := s.pool.Config()
	one.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), one)
	require.NoError(t, err)
	t.Cleanup(pool.Close)

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = deadletter.New(deadletter.Options{Client: s.calls, Pool: pool}).Redrive(ctx, deadletter.Outbox, id, ops)
	require.NoError(t, err)
	require.Equal(t, []string{"send again outbox by ops: done"}, s.acts())
}
