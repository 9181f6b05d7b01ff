package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
)

// maxNewest bounds what a processor remembers of drivers.
const maxNewest = 100_000

// processor stores the points of one shard, while its lease is held.
type processor struct {
	store  *store
	stats  *points.Stats
	seen   seer
	newest event.Mark // of the drivers that came by, to tell what does not rise
}

// seer is told of every point that was stored.
type seer interface {
	See(shard, sequence, driver string, seq int64, arrived, applied time.Time)
}

// Process stores a batch: rows and checkpoint in one transaction.
func (p *processor) Process(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit) error {
	rows, err := decode(b)
	if err != nil {
		return err
	}
	if err := p.store.ensureDays(ctx, rows); err != nil {
		return err
	}
	if err := p.flag(ctx, rows); err != nil {
		return err
	}
	var stored int64
	err = pgx.BeginFunc(ctx, p.store.pool, func(tx pgx.Tx) error {
		var err error
		if stored, err = p.store.insert(ctx, tx, rows); err != nil {
			return err
		}
		// Last, so that the lease is locked for the shortest time: from here on
		// nobody takes over until these rows are there with their checkpoint.
		return commit(ctx, tx)
	})
	if err != nil {
		return err
	}
	p.count(b, rows, stored)
	return nil
}

func (p *processor) count(b shardreader.Batch, rows []row, stored int64) {
	now := time.Now()
	arrived := make([]time.Time, len(rows))
	for i, r := range rows {
		arrived[i] = r.arrived
		p.seen.See(b.Shard, b.Records[i].Sequence, r.Driver, r.Seq, r.arrived, now)
	}
	p.stats.Applied(arrived)
	p.stats.Repeated(len(rows) - int(stored))
}

// flag marks the points whose sequence is not above what this driver had
// before. A repeat is marked, too, and then not stored.
func (p *processor) flag(ctx context.Context, rows []row) error {
	if len(p.newest) > maxNewest {
		clear(p.newest)
	}
	var unknown []string
	for _, r := range rows {
		if _, ok := p.newest[r.Driver]; !ok {
			p.newest[r.Driver] = 0
			unknown = append(unknown, r.Driver)
		}
	}
	if len(unknown) > 0 {
		if err := p.store.newest(ctx, unknown, p.newest); err != nil {
			return err
		}
	}
	for i := range rows {
		rows[i].notRising = !p.newest.Rises(rows[i].Driver, rows[i].Seq)
	}
	return nil
}

// row is one point as it is stored.
type row struct {
	event.Point
	arrived   time.Time
	shard     string
	notRising bool
}

// day is the UTC date of the sequence: the partition.
func (r row) day() time.Time { return time.UnixMilli(r.Seq).UTC().Truncate(24 * time.Hour) }

// decode reads all records of a batch; all that can't be read are named at once.
func decode(b shardreader.Batch) ([]row, error) {
	rows := make([]row, 0, len(b.Records))
	var bad []error
	for _, r := range b.Records {
		p, err := event.DecodePoint(r.Data)
		if err != nil {
			bad = append(bad, shardgroup.Undecodable(r.Position, err))
			continue
		}
		rows = append(rows, row{Point: p, arrived: r.Arrived, shard: b.Shard})
	}
	if len(bad) > 0 {
		return nil, fmt.Errorf("history: %w", errors.Join(bad...))
	}
	return rows, nil
}
