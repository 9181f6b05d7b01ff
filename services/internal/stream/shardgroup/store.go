package shardgroup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/internal/stream/shardreader"
)

// store is the group's SQL. Expiry is judged by the database's clock alone, and
// by clock_timestamp(): now() stays at the transaction's start, however long the
// process was frozen in it.
type store struct {
	pool       *pgxpool.Pool
	group      string
	generation int
}

// channel is what a group notifies its workers on when a plan may come out
// otherwise. Who misses a notification sees the same at the next renewal's period.
const channel = "shardgroup"

// topic is the payload of the group's notifications.
func (s *store) topic() string { return fmt.Sprintf("%s/%d", s.group, s.generation) }

// topicRecreated is the payload where there is a new life.
func (s *store) topicRecreated() string { return s.topic() + "/recreated" }

// life is one life of a stream that the group reads.
type life struct {
	shardreader.Stream
	id      int64
	startAt time.Time // zero: the oldest record kept
}

// register finds or inserts the row of a stream's life. The first to see a
// recreated stream writes a gap for each shard of the life before it, in the same
// transaction, so before a record of the new one can be applied.
func (s *store) register(ctx context.Context, stream shardreader.Stream, latest bool) (life, error) {
	out := life{Stream: stream}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var before int64
		err := tx.QueryRow(ctx, `
			SELECT id FROM shardgroup.streams
			WHERE group_name = $1 AND generation = $2 AND arn = $3 AND created_at < $4
			ORDER BY created_at DESC LIMIT 1`, s.group, s.generation, stream.ARN, stream.Created).Scan(&before)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}

		// LATEST becomes a time here, once: a worker that starts later must not skip
		// what arrived in between. After a life that was lost, all of the new one
		// is wanted.
		tag, err := tx.Exec(ctx, `
			INSERT INTO shardgroup.streams (group_name, generation, arn, created_at, start_at)
			VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN clock_timestamp() END) ON CONFLICT DO NOTHING`,
			s.group, s.generation, stream.ARN, stream.Created, latest && before == 0)
		if err != nil {
			return err
		}
		// Only whoever inserted the row declares the gaps: each once.
		if tag.RowsAffected() == 1 && before != 0 {
			if err := s.endLife(ctx, tx, before, stream.Created); err != nil {
				return err
			}
		}

		var startAt *time.Time
		err = tx.QueryRow(ctx, `
			SELECT id, start_at FROM shardgroup.streams
			WHERE group_name = $1 AND generation = $2 AND arn = $3 AND created_at = $4`,
			s.group, s.generation, stream.ARN, stream.Created).Scan(&out.id, &startAt)
		if startAt != nil {
			out.startAt = *startAt
		}
		return err
	})
	if err != nil {
		return life{}, fmt.Errorf("register the stream: %w", err)
	}
	return out, nil
}

// endLife ends the leases of a life that is over and declares a gap for each of its
// shards that was not drained, and for each drained one whose children nobody had listed:
// they are not known, and nothing of them was read.
func (s *store) endLife(ctx context.Context, tx pgx.Tx, before int64, created time.Time) error {
	// The new epoch waits for the transactions that commit under the old one, and
	// fences those that come later: what the gaps say stays true.
	_, err := tx.Exec(ctx, `UPDATE shardgroup.leases SET owner = NULL, epoch = epoch + 1 WHERE stream_id = $1 AND completed_at IS NULL`, before)
	if err != nil {
		return err
	}

	//excerpt:gaps
	// A statement of its own sees what was committed while the one before waited.
	_, err = tx.Exec(ctx, `
		INSERT INTO shardgroup.gaps (stream_id, shard, reason, from_at, to_at)
		SELECT l.stream_id, l.shard, 'stream_recreated', greatest(c.arrived_at, c.tip_at, l.since), $2
		FROM shardgroup.leases l LEFT JOIN shardgroup.checkpoints c USING (stream_id, shard)
		WHERE l.stream_id = $1 AND (l.completed_at IS NULL OR NOT EXISTS (
			SELECT FROM shardgroup.leases child WHERE child.stream_id = $1 AND l.shard = ANY(child.parents)))`, before, created)
	//excerpt:end
	if err != nil {
		return err
	}

	// Nobody acquires them again, and workers that still stand by there hear of it.
	_, err = tx.Exec(ctx, `
		WITH ended AS (UPDATE shardgroup.leases SET completed_at = clock_timestamp() WHERE stream_id = $1 AND completed_at IS NULL)
		SELECT pg_notify($2, $3)`, before, channel, s.topicRecreated())
	return err
}

// announce tells the group's workers that one more takes part.
func (s *store) announce(ctx context.Context) error {
	if _, err := s.pool.Exec(ctx, `SELECT pg_notify($1, $2)`, channel, s.topic()); err != nil {
		return fmt.Errorf("announce a worker: %w", err)
	}
	return nil
}

// listen calls changed when a plan of this group may come out otherwise, and recreated
// when there is a new life, until it fails or ctx ends.
func (s *store) listen(ctx context.Context, changed, recreated func()) error {
	pooled, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	// Not back into the pool: whoever had it next would go on listening.
	c := pooled.Hijack()
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()

	if _, err := c.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return err
	}
	changed() // what was notified before is not repeated
	for {
		n, err := c.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		switch n.Payload {
		case s.topic():
			changed()
		case s.topicRecreated():
			recreated()
		}
	}
}

// leave takes the worker off the list and releases what is still in its name: a
// lease whose release failed, or which it stopped trusting and nobody acquired.
// None of its readings may run any more. The others look again, also where it had
// released everything: as long as it was on the list, the plan assigned that to it again.
func (s *store) leave(ctx context.Context, id int64, worker string) error {
	var b pgx.Batch
	b.Queue(`DELETE FROM shardgroup.workers WHERE group_name = $1 AND generation = $2 AND worker = $3`, s.group, s.generation, worker)
	b.Queue(`
		WITH released AS (
			UPDATE shardgroup.leases SET owner = NULL, expires_at = '-infinity'
			WHERE stream_id = $1 AND owner = $2 AND completed_at IS NULL)
		SELECT pg_notify($3, $4)`, id, worker, channel, s.topic())
	if err := s.pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("leave the group: %w", err)
	}
	return nil
}

// counts returns how many records are parked that nobody has skipped and that did not come back, and how many gaps are declared,
// over all lives of the stream. It forgets the heartbeats of workers that died.
func (s *store) counts(ctx context.Context) (parked, gaps int64, err error) {
	err = s.pool.QueryRow(ctx, `
		WITH mine AS (SELECT id FROM shardgroup.streams WHERE group_name = $1 AND generation = $2),
		forgotten AS (
			DELETE FROM shardgroup.workers
			WHERE group_name = $1 AND generation = $2 AND expires_at < clock_timestamp() - interval '1 minute')
		SELECT (SELECT count(*) FROM shardgroup.dead_records WHERE skipped_at IS NULL AND returned_at IS NULL AND stream_id IN (SELECT id FROM mine)),
		       (SELECT count(*) FROM shardgroup.gaps WHERE stream_id IN (SELECT id FROM mine))`,
		s.group, s.generation).Scan(&parked, &gaps)
	return parked, gaps, err
}
