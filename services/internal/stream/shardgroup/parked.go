package shardgroup

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/internal/stream/shardreader"
)

// Querier is a pool or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// ReadParked returns where the records lie that a group has set aside and not applied
// since, of the stream that was created then and with from <= arrival < to.
func ReadParked(ctx context.Context, q Querier, group string, created, from, to time.Time) (map[shardreader.Position]bool, error) {
	records, err := parked(ctx, q, `s.group_name = $1 AND s.created_at = $2 AND d.arrived_at >= $3 AND d.arrived_at < $4`, group, created, from, to)
	out := map[shardreader.Position]bool{}
	for _, r := range records {
		out[r.Position] = true
	}
	return out, err
}

// ParkedSince returns the records of a shard that a group has set aside and not applied
// since, of the stream that it reads now and with from <= arrival.
func ParkedSince(ctx context.Context, q Querier, group string, generation int, shard string, from time.Time) ([]shardreader.Record, error) {
	return parked(ctx, q, `d.shard = $3 AND d.arrived_at >= $4 AND d.stream_id = `+streamNow, group, generation, shard, from)
}

// streamNow is the newest life of the stream of group $1 and generation $2.
const streamNow = `(SELECT id FROM shardgroup.streams WHERE group_name = $1 AND generation = $2 ORDER BY created_at DESC LIMIT 1)`

func parked(ctx context.Context, q Querier, where string, args ...any) ([]shardreader.Record, error) {
	rows, err := q.Query(ctx, `
		SELECT d.shard, d.sequence, d.sub, d.key, d.data, d.arrived_at
		FROM shardgroup.dead_records d JOIN shardgroup.streams s ON s.id = d.stream_id WHERE d.returned_at IS NULL AND `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("records that %s has set aside: %w", args[0], err)
	}

	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r shardreader.Record, err error) {
		err = row.Scan(&r.Shard, &r.Sequence, &r.Sub, &r.Key, &r.Data, &r.Arrived)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("records that %s has set aside: %w", args[0], err)
	}
	return out, nil
}

// Returned marks records that a group had set aside as applied after all. It belongs into
// the transaction that applies them, before its Commit.
func Returned(ctx context.Context, tx pgx.Tx, group string, generation int, records ...shardreader.Position) error {
	var b pgx.Batch
	for _, p := range records {
		b.Queue(`UPDATE shardgroup.dead_records SET returned_at = clock_timestamp()
			WHERE shard = $3 AND sequence = $4 AND sub = $5 AND stream_id = `+streamNow, group, generation, p.Shard, p.Sequence, p.Sub)
	}
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("mark what %s had set aside as applied: %w", group, err)
	}
	return nil
}
