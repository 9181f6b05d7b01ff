package shardgroup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/internal/stream/shardreader"
)

// checkpoint gives where a shard is applied to; an empty one where nothing was.
func (s *store) checkpoint(ctx context.Context, id int64, shard string) (checkpoint, error) {
	c := checkpoint{Position: shardreader.Position{Shard: shard}}
	var arrived, tip *time.Time
	err := s.pool.QueryRow(ctx, `
		SELECT sequence, sub, arrived_at, tip_at FROM shardgroup.checkpoints WHERE stream_id = $1 AND shard = $2`,
		id, shard).Scan(&c.Sequence, &c.Sub, &arrived, &tip)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("read the checkpoint of %s: %w", shard, err)
	}
	if arrived != nil {
		c.arrived = *arrived
	}
	if tip != nil {
		c.tip = *tip
	}
	return c, nil
}

// step is what one transaction writes for the group.
type step struct {
	stream  int64
	worker  string
	held    holding
	next    shardreader.Position
	arrived time.Time // of the last record; zero: no record was applied
	tip     time.Time // what arrived before it is applied or declared a gap; zero: unknown
	records int
	closed  bool
	dead    []dead
	gap     *gap
}

// gap is a span of arrivals that can no longer be read.
type gap struct{ from, to time.Time }

// commit writes the checkpoint, and what belongs to it, in tx, under the
// lease: the row stays locked until tx ends, so nobody takes over in between.
func (s *store) commit(ctx context.Context, tx pgx.Tx, st step) error {
	tag, err := tx.Exec(ctx, `
		WITH ours AS (
			SELECT 1 FROM shardgroup.leases
			WHERE stream_id = $1 AND shard = $2 AND owner = $3 AND epoch = $4 AND expires_at > clock_timestamp()
			FOR UPDATE)
		INSERT INTO shardgroup.checkpoints (stream_id, shard, sequence, sub, arrived_at, records, tip_at)
		SELECT $1, $2, $5, $6, $7, $8, $9 FROM ours
		ON CONFLICT (stream_id, shard) DO UPDATE SET sequence = excluded.sequence, sub = excluded.sub,
			arrived_at = coalesce(excluded.arrived_at, checkpoints.arrived_at),
			tip_at = greatest(checkpoints.tip_at, excluded.tip_at),
			records = checkpoints.records + excluded.records, updated_at = clock_timestamp()`,
		st.stream, st.held.shard, st.worker, st.held.epoch, st.next.Sequence, st.next.Sub, orNull(st.arrived), st.records, orNull(st.tip))
	if err != nil {
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("%w: %s", ErrFenced, st.held.shard)
	}
	return s.commitRest(ctx, tx, st)
}

func (s *store) commitRest(ctx context.Context, tx pgx.Tx, st step) error {
	var b pgx.Batch
	for _, d := range st.dead {
		b.Queue(`
			INSERT INTO shardgroup.dead_records (stream_id, shard, sequence, sub, key, data, arrived_at, reason)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
			st.stream, st.held.shard, d.Sequence, d.Sub, d.Key, d.Data, d.Arrived, d.reason)
	}
	if st.gap != nil {
		b.Queue(`INSERT INTO shardgroup.gaps (stream_id, shard, reason, from_at, to_at) VALUES ($1, $2, 'trimmed', $3, $4)`,
			st.stream, st.held.shard, st.gap.from, st.gap.to)
	}
	if st.closed {
		b.Queue(`UPDATE shardgroup.leases SET owner = NULL, completed_at = clock_timestamp() WHERE stream_id = $1 AND shard = $2`,
			st.stream, st.held.shard)
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
