package points

import (
	"context"
	"time"

	"tandem/services/domain/event"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
)

// processor applies the points of one shard, while its lease is held and
// nothing fails. The marks that it remembers are true for exactly that long:
// nobody else applies points of these drivers, and what raised a mark was
// committed.
type processor struct {
	group *Group
	store Store // of this lease
	marks marks
	aside aside // nil: not asked yet
}

func (g *Group) processor(shard string) shardgroup.Processor {
	return &processor{group: g, store: ForLease(g.o.Store, shard), marks: newMarks()}
}

// Process applies a batch: rows and checkpoint in one transaction.
func (p *processor) Process(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit) error {
	batch, err := decodeAll(b)
	if err != nil {
		return err
	}

	mark, err := p.recall(ctx, batch)
	if err != nil {
		return err
	}

	for i, a := range batch {
		batch[i].Rises = mark.Rises(a.Driver, a.Seq)
	}
	commit, err = p.returning(ctx, b, batch, commit)
	if err != nil {
		return err
	}

	// After an error the transaction may or may not have been committed. The group
	// drops this processor with its marks, and reads again from the checkpoint.
	out, err := p.store.Apply(ctx, batch, commit)
	if err != nil {
		return err
	}

	// Only now are the raised marks those of committed rows.
	for driver, seq := range mark {
		p.marks.Add(driver, seq)
	}

	p.group.count(batch, out)
	return nil
}

// recall returns the marks of the batch's drivers: those that this processor
// remembers, and from the store those that it does not.
func (p *processor) recall(ctx context.Context, batch []Arrival) (event.Mark, error) {
	mark := event.NewMark()
	var unknown []string
	for _, a := range batch {
		if _, done := mark[a.Driver]; done {
			continue
		}
		seq, known := p.marks.Get(a.Driver)
		mark[a.Driver] = seq
		if !known {
			unknown = append(unknown, a.Driver)
		}
	}

	if len(unknown) == 0 {
		return mark, nil
	}

	return mark, p.store.Newest(ctx, unknown, mark)
}

func (g *Group) count(batch []Arrival, out Outcome) {
	now := time.Now()
	for _, a := range batch {
		g.seen.see(a, now)
		traced(g.o.Traces, a, now)
	}
	g.stats.applied(len(batch)-out.Repeated-out.Skipped, batch, out)
}
