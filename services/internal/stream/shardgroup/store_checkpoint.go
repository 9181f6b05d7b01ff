package shardgroup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/internal/stream/shardreader"
)

// ErrFenced is returned by a Commit whose worker no longer holds the shard's
// lease: roll back, somebody else is writing.
var ErrFenced = errors.New("shardgroup: the lease is not ours any more")

// errRolledBack is that of a commit that finds an older checkpoint than the one that was
// written last under this lease.
var errRolledBack = errors.New("shardgroup: a transaction whose processor had returned nil was rolled back; its records come again")

// checkpoint is where a shard is applied to.
type checkpoint struct {
	shardreader.Position
	arrived time.Time // of the last record applied
	tip     time.Time // what arrived before it is applied
	since   time.Time // what arrived before it is not wanted
	start   time.Time // where reading begins while nothing is applied; zero: where the group does
}

// known is the arrival time up to which nothing is missing.
func (c checkpoint) known() time.Time {
	known := c.since
	for _, t := range []time.Time{c.arrived, c.tip} {
		if t.After(known) {
			known = t
		}
	}
	return known
}

// checkpoint returns where a shard is applied to; an empty one where nothing was.
func (s *store) checkpoint(ctx context.Context, id int64, shard string) (checkpoint, error) {
	c := checkpoint{Position: shardreader.Position{Shard: shard}}
	var arrived, tip, start *time.Time
	err := s.pool.QueryRow(ctx, `
		SELECT coalesce(c.sequence, ''), coalesce(c.sub, 0), c.arrived_at, c.tip_at, l.since, c.start_at
		FROM shardgroup.leases l LEFT JOIN shardgroup.checkpoints c USING (stream_id, shard)
		WHERE l.stream_id = $1 AND l.shard = $2`,
		id, shard).Scan(&c.Sequence, &c.Sub, &arrived, &tip, &c.since, &start)
	if err != nil {
		return c, fmt.Errorf("read the checkpoint of %s: %w", shard, err)
	}

	if arrived != nil {
		c.arrived = *arrived
	}
	if tip != nil {
		c.tip = *tip
	}
	if start != nil {
		c.start = *start
	}
	return c, nil
}

// step is what one transaction writes for the group.
type step struct {
	stream  int64
	lease   Lease
	from    shardreader.Position // the checkpoint before this step
	next    shardreader.Position
	arrived time.Time // of the last record; zero: no record was applied
	tip     time.Time // what arrived before it is applied or declared a gap; zero: unknown
	records int
	closed  bool
	parked  []parkedRecord
	gap     *gap
}

// begin calls f with a transaction that commits if f returns nil, and else rolls back.
func (s *store) begin(ctx context.Context, f func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, f)
}

// commit writes the checkpoint, and what belongs to it, in tx, under the
// lease: the row stays locked until tx ends, so nobody acquires it in between.
// FOR KEY SHARE is the weakest lock that a new epoch waits for (the epoch is part
// of a unique index), and a renewal does not wait for it.
func (s *store) commit(ctx context.Context, tx pgx.Tx, st step) error {
	// One statement is fence and checkpoint: where the lease is not ours, or the
	// checkpoint is not the one that this step goes on from, nothing is written. Without
	// the second, a step would pass over records whose transaction was rolled back.
	tag, err := tx.Exec(ctx, `
		WITH ours AS (
			SELECT 1 FROM shardgroup.leases
			WHERE stream_id = $1 AND shard = $2 AND owner = $3 AND epoch = $4 AND expires_at > clock_timestamp()
			FOR KEY SHARE)
		INSERT INTO shardgroup.checkpoints (stream_id, shard, sequence, sub, arrived_at, records, tip_at)
		SELECT $1, $2, $5, $6, $7, $8, $9 FROM ours
		WHERE $10 = '' OR EXISTS (SELECT FROM shardgroup.checkpoints WHERE stream_id = $1 AND shard = $2)
		ON CONFLICT (stream_id, shard) DO UPDATE SET sequence = excluded.sequence, sub = excluded.sub,
			arrived_at = coalesce(excluded.arrived_at, checkpoints.arrived_at),
			tip_at = greatest(checkpoints.tip_at, excluded.tip_at),
			records = checkpoints.records + excluded.records, updated_at = clock_timestamp()
		WHERE checkpoints.sequence = $10 AND checkpoints.sub = $11`,
		st.stream, st.lease.Shard, st.lease.Owner, st.lease.Epoch, st.next.Sequence, st.next.Sub, orNull(st.arrived), st.records, orNull(st.tip),
		st.from.Sequence, st.from.Sub)
	if err != nil {
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return s.whyNot(ctx, tx, st)
	}
	return s.commitRest(ctx, tx, st)
}

// whyNot returns why a checkpoint was not written.
func (s *store) whyNot(ctx context.Context, tx pgx.Tx, st step) error {
	var ours bool
	err := tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM shardgroup.leases
			WHERE expires_at > clock_timestamp() AND stream_id = $1 AND shard = $2 AND owner = $3 AND epoch = $4)`,
		st.stream, st.lease.Shard, st.lease.Owner, st.lease.Epoch).Scan(&ours)
	switch {
	case err != nil:
		return fmt.Errorf("write the checkpoint: %w", err)
	case ours:
		return errRolledBack
	}
	return fmt.Errorf("%w: %s", ErrFenced, st.lease.Shard)
}

// commitRest writes what only some transactions have: parked records, a gap, the
// end of the shard.
func (s *store) commitRest(ctx context.Context, tx pgx.Tx, st step) error {
	var b pgx.Batch
	for _, p := range st.parked {
		b.Queue(`
			INSERT INTO shardgroup.dead_records (stream_id, shard, sequence, sub, key, data, arrived_at, reason)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
			st.stream, st.lease.Shard, p.Sequence, p.Sub, p.Key, p.Data, p.Arrived, p.reason)
	}
	if st.gap != nil {
		// A shard that stays stuck loses more with each try: that is one gap, which grows.
		b.Queue(`
			WITH grown AS (
				UPDATE shardgroup.gaps SET to_at = $4
				WHERE stream_id = $1 AND shard = $2 AND reason = 'trimmed' AND to_at = $3 RETURNING 1)
			INSERT INTO shardgroup.gaps (stream_id, shard, reason, from_at, to_at)
			SELECT $1, $2, 'trimmed', $3, $4 WHERE NOT EXISTS (SELECT FROM grown)`,
			st.stream, st.lease.Shard, st.gap.from, st.gap.to)
	}
	// Here, not after the commit: children are read as soon as this is seen, so it
	// must be seen together with the last rows of the parent.
	if st.closed {
		b.Queue(`UPDATE shardgroup.leases SET owner = NULL, completed_at = clock_timestamp() WHERE stream_id = $1 AND shard = $2`,
			st.stream, st.lease.Shard)
		b.Queue(`SELECT pg_notify($1, $2)`, channel, s.topic()) // is sent when tx commits
	}

	if b.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("write what belongs to the checkpoint: %w", err)
	}
	return nil
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
