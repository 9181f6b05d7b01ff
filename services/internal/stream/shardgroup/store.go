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

// ErrFenced is returned by a Commit whose worker no longer holds the shard's
// lease: roll back, somebody else is writing.
var ErrFenced = errors.New("shardgroup: the lease is not ours any more")

// store is the group's SQL. Expiry is judged by the database's clock alone, and
// by clock_timestamp(): now() is the transaction's start, which a frozen process
// has long left behind.
type store struct {
	pool       *pgxpool.Pool
	group      string
	generation int
}

// life is one life of a stream that the group reads.
type life struct {
	shardreader.Stream
	id      int64
	startAt time.Time // zero: the oldest record kept
}

// checkpoint is where a shard is applied to.
type checkpoint struct {
	shardreader.Position
	arrived time.Time // of the last record applied
	tip     time.Time // what arrived before it is applied
}

// known is the arrival time up to which nothing is missing.
func (c checkpoint) known() time.Time {
	if c.tip.After(c.arrived) {
		return c.tip
	}
	return c.arrived
}

// register finds or makes the row of a stream's life. The first to see a stream
// made anew writes a gap for each shard of the life before it, in the same
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
		tag, err := tx.Exec(ctx, `
			INSERT INTO shardgroup.streams (group_name, generation, arn, created_at, start_at)
			VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN clock_timestamp() END) ON CONFLICT DO NOTHING`,
			s.group, s.generation, stream.ARN, stream.Created, latest && before == 0)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 1 && before != 0 {
			if err := gapsOfLostLife(ctx, tx, before, stream.Created); err != nil {
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

func gapsOfLostLife(ctx context.Context, tx pgx.Tx, before int64, created time.Time) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO shardgroup.gaps (stream_id, shard, reason, from_at, to_at)
		SELECT l.stream_id, l.shard, 'stream_made_anew',
		       coalesce(greatest(c.arrived_at, c.tip_at), s.start_at, s.created_at), $2
		FROM shardgroup.leases l
		JOIN shardgroup.streams s ON s.id = l.stream_id
		LEFT JOIN shardgroup.checkpoints c USING (stream_id, shard)
		WHERE l.stream_id = $1 AND l.completed_at IS NULL`, before, created)
	return err
}

// addShards makes the leases of shards that are new.
func (s *store) addShards(ctx context.Context, id int64, shards []Shard) error {
	ids := make([]string, len(shards))
	for i, sh := range shards {
		ids[i] = sh.ID
	}
	_, err := s.pool.Exec(ctx, `
		INSERT INTO shardgroup.leases (stream_id, shard) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`, id, ids)
	if err != nil {
		return fmt.Errorf("add shards: %w", err)
	}
	return nil
}

// holding is what a worker says of a lease when it renews.
type holding struct {
	shard string
	epoch int64
	tip   time.Time
}

// renew says that the worker lives, extends the leases that are still its own
// and notes how far each was at the tip. It gives the shards that it extended.
func (s *store) renew(ctx context.Context, id int64, worker string, ttl time.Duration, held []holding) (map[string]bool, error) {
	shards, epochs, tips := make([]string, len(held)), make([]int64, len(held)), make([]*time.Time, len(held))
	for i, h := range held {
		shards[i], epochs[i] = h.shard, h.epoch
		if !h.tip.IsZero() {
			tips[i] = &h.tip
		}
	}
	var b pgx.Batch
	b.Queue(`
		INSERT INTO shardgroup.workers (group_name, generation, worker, expires_at)
		VALUES ($1, $2, $3, clock_timestamp() + $4::interval)
		ON CONFLICT (group_name, generation, worker) DO UPDATE SET expires_at = excluded.expires_at`,
		s.group, s.generation, worker, ttl)
	b.Queue(`
		WITH held AS (SELECT * FROM unnest($3::text[], $4::bigint[], $5::timestamptz[]) AS h (shard, epoch, tip)),
		ours AS (
			UPDATE shardgroup.leases l SET expires_at = clock_timestamp() + $6::interval
			FROM held WHERE l.stream_id = $1 AND l.shard = held.shard AND l.owner = $2 AND l.epoch = held.epoch
			RETURNING l.shard, held.tip),
		tips AS (
			INSERT INTO shardgroup.checkpoints (stream_id, shard, sequence, sub, tip_at)
			SELECT $1, shard, '', 0, tip FROM ours WHERE tip IS NOT NULL
			ON CONFLICT (stream_id, shard) DO UPDATE SET tip_at = greatest(checkpoints.tip_at, excluded.tip_at))
		SELECT shard FROM ours`, id, worker, shards, epochs, tips, ttl)
	b.Queue(`DELETE FROM shardgroup.workers WHERE group_name = $1 AND generation = $2 AND expires_at < clock_timestamp() - interval '1 minute'`,
		s.group, s.generation)
	res := s.pool.SendBatch(ctx, &b)
	defer func() { _ = res.Close() }()
	if _, err := res.Exec(); err != nil {
		return nil, fmt.Errorf("heartbeat: %w", err)
	}
	rows, err := res.Query()
	if err != nil {
		return nil, fmt.Errorf("renew leases: %w", err)
	}
	ours, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("renew leases: %w", err)
	}
	out := make(map[string]bool, len(ours))
	for _, shard := range ours {
		out[shard] = true
	}
	return out, nil
}

// view is what the planner looks at, with the database's time.
func (s *store) view(ctx context.Context, id int64) (now time.Time, leases []Lease, workers []Worker, err error) {
	var b pgx.Batch
	b.Queue(`SELECT clock_timestamp()`).QueryRow(func(row pgx.Row) error { return row.Scan(&now) })
	b.Queue(`
		SELECT shard, coalesce(owner, ''), epoch, greatest(expires_at, 'epoch'), completed_at IS NOT NULL
		FROM shardgroup.leases WHERE stream_id = $1 ORDER BY shard`, id).Query(func(rows pgx.Rows) error {
		leases, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Lease])
		return err
	})
	b.Queue(`SELECT worker, expires_at FROM shardgroup.workers WHERE group_name = $1 AND generation = $2`,
		s.group, s.generation).Query(func(rows pgx.Rows) error {
		workers, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Worker])
		return err
	})
	if err := s.pool.SendBatch(ctx, &b).Close(); err != nil {
		return time.Time{}, nil, nil, fmt.Errorf("look at leases: %w", err)
	}
	return now, leases, workers, nil
}

// acquire takes a lease that nobody holds and that is as the planner saw it.
func (s *store) acquire(ctx context.Context, id int64, m Move, ttl time.Duration) (epoch int64, ok bool, err error) {
	err = s.pool.QueryRow(ctx, `
		UPDATE shardgroup.leases SET owner = $3, epoch = epoch + 1, expires_at = clock_timestamp() + $5::interval
		WHERE stream_id = $1 AND shard = $2 AND epoch = $4 AND completed_at IS NULL
		  AND (owner IS NULL OR expires_at <= clock_timestamp())
		RETURNING epoch`, id, m.Shard, m.To, m.Epoch, ttl).Scan(&epoch)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("acquire %s: %w", m.Shard, err)
	}
	return epoch, true, nil
}

// release gives a lease back, so that another takes it at once.
func (s *store) release(ctx context.Context, id int64, worker string, h holding) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE shardgroup.leases SET owner = NULL, expires_at = '-infinity'
		WHERE stream_id = $1 AND shard = $2 AND owner = $3 AND epoch = $4`, id, h.shard, worker, h.epoch)
	if err != nil {
		return fmt.Errorf("release %s: %w", h.shard, err)
	}
	return nil
}

// leave takes the worker off the list.
func (s *store) leave(ctx context.Context, worker string) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM shardgroup.workers WHERE group_name = $1 AND generation = $2 AND worker = $3`,
		s.group, s.generation, worker)
	if err != nil {
		return fmt.Errorf("leave the group: %w", err)
	}
	return nil
}

// counts gives how many records are parked and how many gaps are declared,
// over all lives of the stream.
func (s *store) counts(ctx context.Context) (parked, gaps int64, err error) {
	err = s.pool.QueryRow(ctx, `
		WITH mine AS (SELECT id FROM shardgroup.streams WHERE group_name = $1 AND generation = $2)
		SELECT (SELECT count(*) FROM shardgroup.dead_records WHERE stream_id IN (SELECT id FROM mine)),
		       (SELECT count(*) FROM shardgroup.gaps WHERE stream_id IN (SELECT id FROM mine))`,
		s.group, s.generation).Scan(&parked, &gaps)
	return parked, gaps, err
}
