package points

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/domain/event"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
)

// aside are the records that were set aside and have not been applied since, by the point
// that they carry: of one point there may be several, repeats.
type aside map[pointKey][]shardreader.Position

type pointKey struct {
	driver string
	seq    int64
}

// stampsOff is how far the arrival stamps of a shard's records may be out of order.
const stampsOff = time.Minute

// returning sets Returns in the batch, and returns a commit that marks in the same
// transaction what came back by it.
func (p *processor) returning(ctx context.Context, b shardreader.Batch, batch []Arrival, commit shardgroup.Commit) (shardgroup.Commit, error) {
	if len(batch) == 0 {
		return commit, nil
	}
	// Once for each processor: what is set aside while it is used lies before what it reads
	// next, and a reader that is sent back has another one.
	if p.aside == nil {
		records, err := p.group.parked(ctx, b.Shard, batch[0].Arrived.Add(-stampsOff))
		if err != nil {
			return nil, err
		}
		p.aside = asideOf(records)
	}

	var back []shardreader.Position
	for i, a := range batch {
		key := pointKey{a.Driver, a.Seq}
		for _, at := range p.aside[key] {
			if at == a.Position() {
				batch[i].Returns = true
				back = append(back, p.aside[key]...)
				delete(p.aside, key) // whichever repeat comes next is one
				break
			}
		}
	}
	if len(back) == 0 {
		return commit, nil
	}
	return func(ctx context.Context, tx pgx.Tx, upTo ...shardreader.Position) error {
		if err := shardgroup.Returned(ctx, tx, p.group.o.Name, p.group.o.Generation, back...); err != nil {
			return err
		}
		return commit(ctx, tx, upTo...)
	}, nil
}

func asideOf(records []shardreader.Record) aside {
	out := aside{}
	for _, r := range records {
		if p, err := event.DecodePoint(r.Key, r.Data); err == nil { // else it is set aside again
			key := pointKey{p.Driver, p.Seq}
			out[key] = append(out[key], r.Position)
		}
	}
	return out
}
