package shardgroup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// addShards inserts the leases of shards that are new.
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

// renewal is what a worker sends of a lease when it renews it.
type renewal struct {
	shard string
	epoch int64
	tip   time.Time
}

// renew writes the worker's heartbeat, extends the leases that are still its own
// and writes when each was at the tip. It returns the shards whose leases it
// extended.
func (s *store) renew(ctx context.Context, id int64, worker string, ttl time.Duration, renewals []renewal) (map[string]bool, error) {
	shards, epochs, tips := make([]string, len(renewals)), make([]int64, len(renewals)), make([]*time.Time, len(renewals))
	for i, r := range renewals {
		shards[i], epochs[i], tips[i] = r.shard, r.epoch, orNull(r.tip)
	}

	// One round trip for all of a worker's shards. A lease with another owner or
	// epoch is not extended, and the tip of its shard is not written. One that has
	// expired is extended: owner and epoch say that nobody has acquired it since.
	var b pgx.Batch
	b.Queue(`
		INSERT INTO shardgroup.workers (group_name, generation, worker, expires_at)
		VALUES ($1, $2, $3, clock_timestamp() + $4::interval)
		ON CONFLICT (group_name, generation, worker) DO UPDATE SET expires_at = excluded.expires_at`,
		s.group, s.generation, worker, ttl)
	b.Queue(`
		WITH sent AS (SELECT * FROM unnest($3::text[], $4::bigint[], $5::timestamptz[]) AS s (shard, epoch, tip)),
		ours AS (
			UPDATE shardgroup.leases l SET expires_at = clock_timestamp() + $6::interval
			FROM sent WHERE l.stream_id = $1 AND l.shard = sent.shard AND l.owner = $2 AND l.epoch = sent.epoch
			RETURNING l.shard, sent.tip),
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

// view returns what the planner looks at, with the database's time: leases and
// workers expire by its clock, so they are judged by it.
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

// acquire takes a lease that nobody holds and that is as the planner saw it: of
// several workers that planned alike, the epoch lets one through. The new epoch
// is what fences whoever had the lease before.
func (s *store) acquire(ctx context.Context, id int64, m Move, ttl time.Duration) (lease Lease, ok bool, err error) {
	lease = Lease{Shard: m.Shard, Owner: m.To}
	err = s.pool.QueryRow(ctx, `
		UPDATE shardgroup.leases SET owner = $3, epoch = epoch + 1, expires_at = clock_timestamp() + $5::interval
		WHERE stream_id = $1 AND shard = $2 AND epoch = $4 AND completed_at IS NULL
		  AND (owner IS NULL OR expires_at <= clock_timestamp())
		RETURNING epoch`, id, m.Shard, m.To, m.Epoch, ttl).Scan(&lease.Epoch)
	if errors.Is(err, pgx.ErrNoRows) {
		return Lease{}, false, nil
	}
	if err != nil {
		return Lease{}, false, fmt.Errorf("acquire %s: %w", m.Shard, err)
	}
	return lease, true, nil
}

// release ends a lease that is still ours, so that another acquires it at once.
func (s *store) release(ctx context.Context, id int64, l Lease) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE shardgroup.leases SET owner = NULL, expires_at = '-infinity'
		WHERE stream_id = $1 AND shard = $2 AND owner = $3 AND epoch = $4`, id, l.Shard, l.Owner, l.Epoch)
	if err != nil {
		return fmt.Errorf("release %s: %w", l.Shard, err)
	}
	return nil
}
