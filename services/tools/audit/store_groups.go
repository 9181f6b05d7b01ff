package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/domain/event"
	"tandem/services/internal/stream/shardreader"
)

// group is a consumer group where its newest generation stands on the newest
// life of the stream.
type group struct {
	name       string
	generation int
	shards     []shard
}

type shard struct {
	shardreader.Position
	Known  *time.Time // what arrived before it is applied; nil: nothing is known
	Handed bool       // drained, and its children are listed
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func readGroup(ctx context.Context, q querier, name string) (group, error) {
	g := group{name: name}
	var id *int64
	err := q.QueryRow(ctx, `
		SELECT coalesce(max(generation), 1), (array_agg(id ORDER BY generation DESC, created_at DESC))[1]
		FROM shardgroup.streams WHERE group_name = $1`, name).Scan(&g.generation, &id)
	if err != nil {
		return g, fmt.Errorf("group %s: %w", name, err)
	}

	rows, err := q.Query(ctx, `
		SELECT l.shard, coalesce(c.sequence, ''), coalesce(c.sub, 0), greatest(c.arrived_at, c.tip_at),
			l.completed_at IS NOT NULL AND (l.completed_at < clock_timestamp() - interval '1 day'
				OR EXISTS (SELECT FROM shardgroup.leases child WHERE child.stream_id = l.stream_id AND l.shard = ANY(child.parents)))
		FROM shardgroup.leases l LEFT JOIN shardgroup.checkpoints c USING (stream_id, shard)
		WHERE l.stream_id = $1 ORDER BY l.shard`, id)
	if err != nil {
		return g, fmt.Errorf("group %s: %w", name, err)
	}
	g.shards, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s shard, err error) {
		err = row.Scan(&s.Shard, &s.Sequence, &s.Sub, &s.Known, &s.Handed)
		return s, err
	})
	if err != nil {
		return g, fmt.Errorf("group %s: %w", name, err)
	}
	return g, nil
}

// known returns the arrival time up to which every shard vouches for all; zero
// where one vouches for nothing.
func (g group) known() time.Time {
	var out time.Time
	for _, s := range g.shards {
		switch {
		case s.Handed: // its children are bounds in its place; until they are listed it stands for them
		case s.Known == nil:
			return time.Time{}
		case out.IsZero() || s.Known.Before(out):
			out = *s.Known
		}
	}
	return out
}

func (g group) positions() map[string]shardreader.Position {
	out := map[string]shardreader.Position{}
	for _, s := range g.shards {
		if s.Sequence != "" {
			out[s.Shard] = s.Position
		}
	}
	return out
}

// parked returns the points that a group put aside and has not applied since, by driver; unread counts
// records that are no point.
func (a *auditor) parked(ctx context.Context, g group) (points map[string]map[int64]bool, unread int64, err error) {
	rows, err := a.tx.Query(ctx, `
		SELECT d.key, d.data FROM shardgroup.dead_records d JOIN shardgroup.streams s ON s.id = d.stream_id
		WHERE s.group_name = $1 AND s.generation = $2 AND d.returned_at IS NULL`, g.name, g.generation)
	if err != nil {
		return nil, 0, fmt.Errorf("dead records: %w", err)
	}

	points = map[string]map[int64]bool{}
	var key string
	var data []byte
	_, err = pgx.ForEachRow(rows, []any{&key, &data}, func() error {
		switch p, err := event.DecodePoint(key, data); {
		case err != nil:
			unread++
		case points[p.Driver] == nil:
			points[p.Driver] = map[int64]bool{p.Seq: true}
		default:
			points[p.Driver][p.Seq] = true
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("dead records: %w", err)
	}
	return points, unread, nil
}

type gap struct {
	Group    string
	Shard    string
	Reason   string
	From, To time.Time
}

func (a *auditor) declaredGaps(ctx context.Context) ([]gap, error) {
	rows, err := a.tx.Query(ctx, `
		SELECT s.group_name, g.shard, g.reason, g.from_at, g.to_at
		FROM shardgroup.gaps g JOIN shardgroup.streams s ON s.id = g.stream_id ORDER BY g.id`)
	if err != nil {
		return nil, fmt.Errorf("gaps: %w", err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[gap])
	if err != nil {
		return nil, fmt.Errorf("gaps: %w", err)
	}
	return out, nil
}

// gaps: whatever a group could not read was declared, and is allowed or not.
func (a *auditor) gaps(ctx context.Context) error {
	f := newFinding(10, "gaps")
	gaps, err := a.declaredGaps(ctx)
	if err != nil {
		return err
	}

	f.count("gaps", int64(len(gaps)))
	for _, g := range gaps {
		if !a.cfg.AllowGaps {
			f.broken("%s could not read %s from %s to %s (%s)", g.Group, g.Shard, text(g.From), text(g.To), g.Reason)
		}
	}

	if len(gaps) > 0 {
		a.report.add(f.done("%d declared gaps, allowed", len(gaps)))
		return nil
	}
	a.report.add(f.done("no group has missed a part of the stream"))
	return nil
}
