package heatmap

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
)

// maxMarks bounds the marks that a processor remembers.
const maxMarks = 100_000

// processor counts the points of one shard, while its lease is held and
// nothing fails. The marks that it remembers are true for exactly that long:
// nobody else counts these drivers, and what it raised was committed.
type processor struct {
	store *store
	stats *points.Stats
	seen  seer
	marks event.Mark
}

// seer is told of every point that was counted.
type seer interface {
	See(shard, sequence, driver string, seq int64, arrived, applied time.Time)
}

// Process counts a batch: rows, marks and checkpoint in one transaction.
func (p *processor) Process(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit) error {
	points, err := decode(b)
	if err != nil {
		return err
	}
	if err := p.recall(ctx, points); err != nil {
		return err
	}
	t := tallyUp(points, p.marks, time.Now().Add(-presenceKept))
	err = pgx.BeginFunc(ctx, p.store.pool, func(tx pgx.Tx) error {
		if err := p.store.add(ctx, tx, t); err != nil {
			return err
		}
		// Last: it locks the lease until these rows are there with their checkpoint.
		return commit(ctx, tx)
	})
	if err != nil {
		return err // the group makes a new processor, without our marks
	}
	p.count(b, points, t)
	return nil
}

// recall looks up the marks of drivers that this processor does not know.
func (p *processor) recall(ctx context.Context, points []arrival) error {
	if len(p.marks) > maxMarks {
		clear(p.marks)
	}
	var unknown []string
	for _, pt := range points {
		if _, ok := p.marks[pt.Driver]; !ok {
			p.marks[pt.Driver] = 0
			unknown = append(unknown, pt.Driver)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return p.store.recall(ctx, unknown, p.marks)
}

func (p *processor) count(b shardreader.Batch, points []arrival, t tally) {
	now := time.Now()
	arrived := make([]time.Time, len(points))
	for i, pt := range points {
		arrived[i] = pt.arrived
		p.seen.See(b.Shard, b.Records[i].Sequence, pt.Driver, pt.Seq, pt.arrived, now)
	}
	p.stats.Applied(arrived)
	for _, n := range t.skipped {
		p.stats.Skipped(int(n))
	}
}
