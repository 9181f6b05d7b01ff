package shardgroup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/internal/stream/shardreader"
)

// addShards inserts the leases and empty checkpoints of shards that are new.
func (s *store) addShards(ctx context.Context, of life, shards []Shard) error {
	ids, parents := make([]string, len(shards)), make([]string, len(shards))
	for i, sh := range shards {
		ids[i], parents[i] = sh.ID, strings.Join(sh.Parents, " ")
	}

	// A child takes records only once its parents are closed, so none of its own
	// arrived before the last one of theirs.
	var b pgx.Batch
	b.Queue(`
		WITH found AS (
			SELECT shard, string_to_array(parents, ' ') AS parents FROM unnest($2::text[], $3::text[]) AS f (shard, parents)),
		added AS (
			INSERT INTO shardgroup.leases (stream_id, shard, parents, since)
			SELECT s.id, f.shard, f.parents, greatest(s.created_at, s.start_at, clock_timestamp() - $4::interval,
			       (SELECT max(c.arrived_at) FROM shardgroup.checkpoints c WHERE c.stream_id = s.id AND c.shard = ANY(f.parents)))
			FROM found f JOIN shardgroup.streams s ON s.id = $1
			WHERE NOT EXISTS (SELECT FROM shardgroup.leases l WHERE l.stream_id = $1 AND l.shard = f.shard AND l.parents IS NOT NULL)
			ON CONFLICT (stream_id, shard) DO UPDATE SET parents = excluded.parents
			RETURNING shard)
		SELECT pg_notify($5, $6) WHERE EXISTS (SELECT FROM added)`, of.id, ids, parents, of.Retention, channel, s.topic())
	// ON CONFLICT alone would wait for whoever has a transaction open on the row.
	b.Queue(`
		INSERT INTO shardgroup.checkpoints (stream_id, shard, sequence, sub)
		SELECT $1, f.shard, '', 0 FROM unnest($2::text[]) AS f (shard)
		WHERE NOT EXISTS (SELECT FROM shardgroup.checkpoints c WHERE c.stream_id = $1 AND c.shard = f.shard)
		ON CONFLICT DO NOTHING`, of.id, ids)
	if err := s.pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("add shards: %w", err)
	}
	return nil
}

// renewal is what a worker sends of a lease when it renews it.
type renewal struct {
	shard string
	epoch int64
	tip   time.Time

	failing   string                // why it stands still; empty: it does not
	failingAt *shardreader.Position // the record that fails also alone; nil: not known
}

// renew writes the worker's heartbeat, extends the leases that are still its own
// and writes when each was at the tip. It returns whether it extended each lease
// that is still the worker's; those of others are not in the map.
func (s *store) renew(ctx context.Context, id int64, worker string, ttl time.Duration, renewals []renewal) (map[string]bool, error) {
	shards, epochs, tips := make([]string, len(renewals)), make([]int64, len(renewals)), make([]*time.Time, len(renewals))
	failing, sequences, subs := make([]*string, len(renewals)), make([]*string, len(renewals)), make([]*int, len(renewals))
	for i, r := range renewals {
		shards[i], epochs[i], tips[i] = r.shard, r.epoch, orNull(r.tip)
		if r.failing != "" {
			failing[i] = &r.failing
		}
		if r.failingAt != nil {
			sequences[i], subs[i] = &r.failingAt.Sequence, &r.failingAt.Sub
		}
	}

	// One round trip for all of a worker's shards, which waits for no lock but that
	// of its own heartbeat: a row that an open transaction holds is left for the
	// next renewal, so that it costs no other shard its lease. A lease that has
	// expired is extended: owner and epoch say that nobody has acquired it since.
	var b pgx.Batch
	b.Queue(`
		INSERT INTO shardgroup.workers (group_name, generation, worker, stream_id, expires_at)
		VALUES ($1, $2, $3, $4, clock_timestamp() + $5::interval)
		ON CONFLICT (group_name, generation, worker) DO UPDATE SET stream_id = excluded.stream_id, expires_at = excluded.expires_at`,
		s.group, s.generation, worker, id, ttl)
	b.Queue(`
		WITH sent AS (
			SELECT * FROM unnest($3::text[], $4::bigint[], $5::timestamptz[], $7::text[], $8::text[], $9::integer[])
				AS s (shard, epoch, tip, failing, failing_sequence, failing_sub)),
		free AS (
			SELECT sent.* FROM shardgroup.leases l JOIN sent ON sent.shard = l.shard AND sent.epoch = l.epoch
			WHERE l.stream_id = $1 AND l.owner = $2 FOR NO KEY UPDATE OF l SKIP LOCKED),
		renewed AS (
			UPDATE shardgroup.leases l SET expires_at = clock_timestamp() + $6::interval,
				failing = free.failing, failing_sequence = free.failing_sequence, failing_sub = free.failing_sub
			FROM free WHERE l.stream_id = $1 AND l.shard = free.shard RETURNING l.shard, free.tip),
		later AS (
			SELECT c.shard, renewed.tip FROM shardgroup.checkpoints c JOIN renewed ON renewed.shard = c.shard
			WHERE c.stream_id = $1 AND renewed.tip > coalesce(c.tip_at, '-infinity') FOR NO KEY UPDATE OF c SKIP LOCKED),
		tips AS (
			UPDATE shardgroup.checkpoints c SET tip_at = later.tip FROM later WHERE c.stream_id = $1 AND c.shard = later.shard)
		SELECT l.shard, EXISTS (SELECT FROM renewed WHERE renewed.shard = l.shard)
		FROM shardgroup.leases l JOIN sent ON sent.shard = l.shard AND sent.epoch = l.epoch
		WHERE l.stream_id = $1 AND l.owner = $2`, id, worker, shards, epochs, tips, ttl, failing, sequences, subs)

	res := s.pool.SendBatch(ctx, &b)
	defer func() { _ = res.Close() }()
	if _, err := res.Exec(); err != nil {
		return nil, fmt.Errorf("heartbeat: %w", err)
	}
	rows, err := res.Query()
	if err != nil {
		return nil, fmt.Errorf("renew leases: %w", err)
	}

	ours := map[string]bool{}
	var shard string
	var renewed bool
	if _, err := pgx.ForEachRow(rows, []any{&shard, &renewed}, func() error { ours[shard] = renewed; return nil }); err != nil {
		return nil, fmt.Errorf("renew leases: %w", err)
	}
	return ours, res.Close()
}

// view is what the planner looks at.
type view struct {
	now     time.Time // the database's: leases and workers expire by its clock
	shards  []Shard
	leases  []Lease
	workers []Worker
}

// view returns the shards that anybody has listed of a life, their leases and the
// workers on it.
func (s *store) view(ctx context.Context, id int64) (view, error) {
	var v view
	var b pgx.Batch
	b.Queue(`SELECT clock_timestamp()`).QueryRow(func(row pgx.Row) error { return row.Scan(&v.now) })
	b.Queue(`
		SELECT l.shard, coalesce(l.owner, ''), l.epoch, greatest(l.expires_at, 'epoch'), l.completed_at IS NOT NULL, l.paused_at IS NOT NULL,
			greatest(c.arrived_at, c.tip_at, l.since), coalesce(l.parents, '{}')
		FROM shardgroup.leases l LEFT JOIN shardgroup.checkpoints c USING (stream_id, shard) WHERE l.stream_id = $1 ORDER BY l.shard`, id).Query(func(rows pgx.Rows) error {
		var l Lease
		var parents []string
		_, err := pgx.ForEachRow(rows, []any{&l.Shard, &l.Owner, &l.Epoch, &l.ExpiresAt, &l.Completed, &l.Paused, &l.known, &parents}, func() error {
			v.leases, v.shards = append(v.leases, l), append(v.shards, Shard{ID: l.Shard, Parents: slices.Clone(parents)})
			return nil
		})
		return err
	})
	b.Queue(`SELECT worker, expires_at FROM shardgroup.workers WHERE group_name = $1 AND generation = $2 AND stream_id = $3`,
		s.group, s.generation, id).Query(func(rows pgx.Rows) (err error) {
		v.workers, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Worker])
		return err
	})

	if err := s.pool.SendBatch(ctx, &b).Close(); err != nil {
		return view{}, fmt.Errorf("look at leases: %w", err)
	}
	return v, nil
}

// acquire takes a lease that nobody holds and that is as the planner saw it: of
// several workers that planned alike, the epoch lets one through. The new epoch
// is what fences whoever had the lease before. A lease whose last owner still
// has a transaction open is left for the next look: to wait for it here would
// stop the planning for all other shards.
func (s *store) acquire(ctx context.Context, id int64, m Move, ttl time.Duration) (lease Lease, ok bool, err error) {
	lease = Lease{Shard: m.Shard, Owner: m.To}
	err = s.pool.QueryRow(ctx, `
		UPDATE shardgroup.leases SET owner = $3, epoch = epoch + 1, expires_at = clock_timestamp() + $5::interval
		WHERE (stream_id, shard) IN (
			SELECT stream_id, shard FROM shardgroup.leases
			WHERE stream_id = $1 AND shard = $2 AND epoch = $4 AND completed_at IS NULL
			  AND (owner IS NULL OR expires_at <= clock_timestamp())
			FOR UPDATE SKIP LOCKED)
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
		WITH released AS (
			UPDATE shardgroup.leases SET owner = NULL, expires_at = '-infinity'
			WHERE stream_id = $1 AND shard = $2 AND owner = $3 AND epoch = $4 RETURNING 1)
		SELECT pg_notify($5, $6) FROM released`, id, l.Shard, l.Owner, l.Epoch, channel, s.topic())
	if err != nil {
		return fmt.Errorf("release %s: %w", l.Shard, err)
	}
	return nil
}
