package heatmap

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/jackc/pgx/v5"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/internal/stream/shardgroup"
)

const (
	maxRemembered = 100_000 // drivers of whom it is remembered where they were noted
	maxRaised     = 200_000 // drivers whose marks are not in heatmap.marks yet
	maxRows       = 64      // of heatmap.raised
	// timesRaised is how often, on average, a mark is raised before it is merged: the
	// next lease has to read this many marks for each of its drivers.
	timesRaised = 8
)

// lease writes the points of one shard while its lease is held. What it remembers is of
// committed rows, and only saves writing them again: whoever has the lease next knows
// none of it. After an error it is not used any more.
type lease struct {
	*store
	id uuid.UUID

	merged bool             // the rows of leases before are in heatmap.marks
	raised map[string]int64 // by driver: what this lease's rows of heatmap.raised say
	rows   int              // of heatmap.raised
	size   int              // marks in them

	noted *simplelru.LRU[string, place] // where presence of each driver was last written
}

// ForLease returns the store of one lease.
func (s *store) ForLease(string) points.Store {
	noted, _ := simplelru.NewLRU[string, place](maxRemembered, nil) // fails only for a size below 1
	return &lease{store: s, id: uuid.New(), raised: map[string]int64{}, noted: noted}
}

// Apply counts a batch: rows, marks and checkpoint in one transaction.
func (l *lease) Apply(ctx context.Context, batch []points.Arrival, commit shardgroup.Commit) (points.Outcome, error) {
	t := tallyUp(batch, time.Now().Add(-presenceKept))
	for p := range t.present {
		if at, ok := l.noted.Get(p.driver); ok && at == p.place {
			delete(t.present, p)
		}
	}

	merge := l.rows >= maxRows || l.size >= timesRaised*max(len(l.raised), 1) || len(l.raised)+len(t.marks) > maxRaised
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		if err := l.add(ctx, tx, t, merge); err != nil {
			return err
		}
		// Last: it locks the lease until these rows are visible with their checkpoint.
		return commit(ctx, tx)
	})
	if err != nil {
		return points.Outcome{}, err
	}

	// Only now is it true that all this is written.
	l.remember(t, merge)
	l.late(t.late)
	return points.Outcome{Skipped: t.skippedPoints()}, nil
}

func (l *lease) remember(t tally, merged bool) {
	for p := range t.present {
		l.noted.Add(p.driver, p.place)
	}

	if merged {
		clear(l.raised)
		l.rows, l.size = 0, 0
		return
	}
	if len(t.marks) > 0 {
		l.rows++
		l.size += len(t.marks)
	}
	for d, seq := range t.marks {
		l.raised[d] = seq
	}
}

// add writes what a batch adds, in the one order in which all shards do.
func (l *lease) add(ctx context.Context, tx pgx.Tx, t tally, merge bool) error {
	var b pgx.Batch
	l.addCells(&b, t)
	l.addMarks(&b, t, merge)
	l.addPresence(&b, t)
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("count points: %w", err)
	}
	return nil
}

// addMarks writes the marks that the batch raised: as one row, or with merge each to
// its driver's, together with those of the rows before.
func (l *lease) addMarks(b *pgx.Batch, t tally, merge bool) {
	rows := map[string]int64{} // of heatmap.marks, by driver
	for d := range t.skipped {
		rows[d] = t.marks[d]
	}

	if merge {
		for d, seq := range l.raised {
			rows[d] = seq
		}
		for d, seq := range t.marks {
			rows[d] = seq // rises above the one before
		}
		b.Queue(`DELETE FROM heatmap.raised WHERE generation = $1 AND lease = $2`, l.generation, l.id)
	} else if len(t.marks) > 0 {
		drivers, seqs := make([]string, 0, len(t.marks)), make([]int64, 0, len(t.marks))
		for d, seq := range t.marks {
			drivers, seqs = append(drivers, d), append(seqs, seq)
		}
		b.Queue(`INSERT INTO heatmap.raised (generation, lease, n, drivers, seqs) VALUES ($1, $2, $3, $4, $5)`, l.generation, l.id, l.rows, drivers, seqs)
	}
	if len(rows) == 0 {
		return
	}

	drivers := make([]string, 0, len(rows))
	for d := range rows {
		drivers = append(drivers, d)
	}
	slices.Sort(drivers)
	seqs, skipped := make([]int64, len(drivers)), make([]int64, len(drivers))
	for i, d := range drivers {
		seqs[i], skipped[i] = rows[d], t.skipped[d]
	}

	// greatest: a driver whose points were all skipped comes with 0.
	b.Queue(`
		INSERT INTO heatmap.marks AS m (generation, driver, seq, skipped)
		SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[])
		ON CONFLICT (generation, driver) DO UPDATE SET
			seq = greatest(m.seq, excluded.seq), skipped = m.skipped + excluded.skipped`,
		l.generation, drivers, seqs, skipped)
}

// Newest sets mark to the drivers' marks.
func (l *lease) Newest(ctx context.Context, drivers []string, mark event.Mark) error {
	if !l.merged {
		// No lease before this one writes any more: what it raised is committed or lost.
		if err := l.mergeRaised(ctx); err != nil {
			return err
		}
		l.merged = true
	}

	if err := l.newest(ctx, drivers, mark); err != nil {
		return err
	}
	for _, d := range drivers {
		if seq, ok := l.raised[d]; ok {
			mark[d] = seq
		}
	}
	return nil
}
