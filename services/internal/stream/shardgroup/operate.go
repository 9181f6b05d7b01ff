package shardgroup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/internal/stream/shardreader"
)

// The errors of what a person asks of a group. Nothing was changed.
var (
	ErrNoGroup = errors.New("shardgroup: there is no such group")
	// ErrMoved is of a shard that was drained since, or whose checkpoint is another one.
	ErrMoved = errors.New("shardgroup: the shard has moved on")
)

// ShardState is what the database knows of one shard of a group.
type ShardState struct {
	Group                string
	Generation           int
	shardreader.Position            // the checkpoint
	Created              time.Time  // of the stream that the shard is of
	Begins               *time.Time // what arrived before is not wanted by the group; nil: all is
	Start                *time.Time // where reading begins while the checkpoint is empty; nil: the oldest record kept
	Worker               string     // the owner; empty: nobody
	PausedAt             *time.Time // nil: it is not paused
	Drained              bool       // closed, and applied to its end
	Begun                bool       // a record of it was applied once, also if the checkpoint is empty again
	Known                time.Time  // what arrived before is applied
	Parked               int64      // records in dead_records that nobody has skipped and that did not come back
	Failing              string     // why it stood still at the last renewal; empty: it did not
	// FailingAt is the record that fails also alone; nil: there is none, or it is not
	// known yet.
	FailingAt *shardreader.Position

	stream int64
}

// States returns the shards of a group's newest generation on the newest life of its
// stream, or with an empty name those of all groups, sorted. Where a name is unknown
// that is ErrNoGroup.
func States(ctx context.Context, q Querier, group string) ([]ShardState, error) {
	rows, err := q.Query(ctx, `
		WITH newest AS (
			SELECT DISTINCT ON (group_name) * FROM shardgroup.streams WHERE $1 IN ('', group_name)
			ORDER BY group_name, generation DESC, created_at DESC)
		SELECT s.id, s.group_name, s.generation, l.shard, coalesce(c.sequence, ''), coalesce(c.sub, 0), s.created_at, s.start_at, coalesce(c.start_at, s.start_at),
			CASE WHEN l.expires_at > clock_timestamp() THEN coalesce(l.owner, '') ELSE '' END,
			l.paused_at, l.completed_at IS NOT NULL, coalesce(c.records, 0) > 0, greatest(c.arrived_at, c.tip_at, l.since),
			(SELECT count(*) FROM shardgroup.dead_records d WHERE d.stream_id = l.stream_id AND d.shard = l.shard AND d.skipped_at IS NULL AND d.returned_at IS NULL),
			coalesce(l.failing, ''), l.failing_sequence, coalesce(l.failing_sub, 0)
		FROM newest s JOIN shardgroup.leases l ON l.stream_id = s.id LEFT JOIN shardgroup.checkpoints c ON c.stream_id = s.id AND c.shard = l.shard
		ORDER BY s.group_name, l.shard`, group)
	if err != nil {
		return nil, fmt.Errorf("look at the groups: %w", err)
	}

	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s ShardState, err error) {
		var sequence *string
		var sub int
		err = row.Scan(&s.stream, &s.Group, &s.Generation, &s.Shard, &s.Sequence, &s.Sub, &s.Created, &s.Begins, &s.Start, &s.Worker, &s.PausedAt, &s.Drained, &s.Begun, &s.Known,
			&s.Parked, &s.Failing, &sequence, &sub)
		if sequence != nil {
			s.FailingAt = &shardreader.Position{Shard: s.Shard, Sequence: *sequence, Sub: sub}
		}
		return s, err
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("look at the groups: %w", err)
	case len(out) == 0 && group != "":
		return nil, fmt.Errorf("%w: %s", ErrNoGroup, group)
	}
	return out, nil
}

// Pause ends the reading of shards until Resume. Once tx is committed nothing more of
// them is applied: a commit that has begun is waited for, and a later one is fenced.
// A shard that is paused already stays so. One that is drained is ErrMoved.
func Pause(ctx context.Context, tx pgx.Tx, shards ...ShardState) error {
	return takeAll(ctx, tx, shards, `AND completed_at IS NULL`, `, paused_at = coalesce(paused_at, clock_timestamp())`)
}

// Resume ends a pause: the shards are acquired again, and read from their checkpoints.
func Resume(ctx context.Context, tx pgx.Tx, shards ...ShardState) error {
	return takeAll(ctx, tx, shards, `AND completed_at IS NULL`, `, paused_at = NULL`)
}

// Seek lets shards be read again from the first record that arrived at or after to; one
// that is drained too, and before its children: whoever reads one of them is fenced, and
// nobody reads on there before the shard is drained again. What was applied is applied
// again, so the group's rows must come out the same. to has to be within what the stream keeps, and
// no later than a shard's Known, or records are passed over.
func Seek(ctx context.Context, tx pgx.Tx, to time.Time, shards ...ShardState) error {
	if err := takeAll(ctx, tx, shards, ``, `, completed_at = NULL`); err != nil {
		return err
	}
	for _, s := range shards {
		// All before to is applied, and of what came after nothing is known.
		_, err := tx.Exec(ctx, `
			UPDATE shardgroup.checkpoints SET sequence = '', sub = 0, start_at = $3, arrived_at = $3, tip_at = NULL, updated_at = clock_timestamp()
			WHERE stream_id = $1 AND shard = $2`, s.stream, s.Shard, to)
		if err != nil {
			return fmt.Errorf("send %s back: %w", s.Shard, err)
		}
		// From now on the group answers for what arrived from then on.
		if _, err := tx.Exec(ctx, `UPDATE shardgroup.leases SET since = least(since, $3) WHERE stream_id = $1 AND shard = $2`, s.stream, s.Shard, to); err != nil {
			return fmt.Errorf("send %s back: %w", s.Shard, err)
		}
		if err := takeBelow(ctx, tx, s); err != nil {
			return err
		}
	}
	return nil
}

// takeBelow takes the leases of the shards that came from s, its children and theirs.
func takeBelow(ctx context.Context, tx pgx.Tx, s ShardState) error {
	_, err := tx.Exec(ctx, `
		WITH RECURSIVE below AS (
			SELECT shard FROM shardgroup.leases WHERE stream_id = $1 AND $2 = ANY(parents)
			UNION SELECT l.shard FROM shardgroup.leases l JOIN below ON below.shard = ANY(l.parents) WHERE l.stream_id = $1)
		UPDATE shardgroup.leases SET owner = NULL, epoch = epoch + 1, expires_at = '-infinity'
		WHERE stream_id = $1 AND completed_at IS NULL AND owner IS NOT NULL AND shard IN (SELECT shard FROM below)`, s.stream, s.Shard)
	if err != nil {
		return fmt.Errorf("take the leases of the children of %s: %w", s.Shard, err)
	}
	return nil
}

// SetAside writes a record to dead_records and moves the checkpoint past it. r is the
// record after the checkpoint of s; where that is another one by now it is ErrMoved. With
// skipped nobody needs to look at the record any more, and it does not count as Parked.
func SetAside(ctx context.Context, tx pgx.Tx, s ShardState, r shardreader.Record, reason string, skipped bool) error {
	// First: from here on the checkpoint stands still.
	if err := takeAll(ctx, tx, []ShardState{s}, `AND completed_at IS NULL`, ``); err != nil {
		return err
	}

	tag, err := tx.Exec(ctx, `
		UPDATE shardgroup.checkpoints SET sequence = $3, sub = $4, arrived_at = $5, records = records + 1, updated_at = clock_timestamp()
		WHERE stream_id = $1 AND shard = $2 AND sequence = $6 AND sub = $7`,
		s.stream, s.Shard, r.Sequence, r.Sub, r.Arrived, s.Sequence, s.Sub)
	if err != nil {
		return fmt.Errorf("pass over a record: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("%w: %s", ErrMoved, s.Shard)
	}

	_, err = tx.Exec(ctx, `
		INSERT INTO shardgroup.dead_records (stream_id, shard, sequence, sub, key, data, arrived_at, reason, skipped_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, CASE WHEN $9 THEN clock_timestamp() END)
		ON CONFLICT (stream_id, shard, sequence, sub) DO UPDATE SET reason = excluded.reason, skipped_at = excluded.skipped_at`,
		s.stream, s.Shard, r.Sequence, r.Sub, r.Key, r.Data, r.Arrived, reason, skipped)
	if err != nil {
		return fmt.Errorf("set a record aside: %w", err)
	}
	return nil
}

// SkipParked marks the parked records of a shard as such that nobody needs to look at any
// more, and returns how many they were.
func SkipParked(ctx context.Context, tx pgx.Tx, s ShardState) (int64, error) {
	tag, err := tx.Exec(ctx, `UPDATE shardgroup.dead_records SET skipped_at = clock_timestamp()
		WHERE stream_id = $1 AND shard = $2 AND skipped_at IS NULL AND returned_at IS NULL`, s.stream, s.Shard)
	if err != nil {
		return 0, fmt.Errorf("skip parked records: %w", err)
	}
	return tag.RowsAffected(), nil
}

// takeAll takes the leases of shards from whoever has them, and sets what set says.
func takeAll(ctx context.Context, tx pgx.Tx, shards []ShardState, where, set string) error {
	for _, s := range shards {
		// The new epoch waits for a commit that is under way and fences every later one. Its
		// former owner sees it at its next look, and lets go.
		tag, err := tx.Exec(ctx, `
			UPDATE shardgroup.leases SET owner = NULL, epoch = epoch + 1, expires_at = '-infinity',
				failing = NULL, failing_sequence = NULL, failing_sub = NULL`+set+`
			WHERE stream_id = $1 AND shard = $2 `+where, s.stream, s.Shard)
		if err != nil {
			return fmt.Errorf("take the lease of %s: %w", s.Shard, err)
		}
		if tag.RowsAffected() == 0 {
			return fmt.Errorf("%w: %s is drained", ErrMoved, s.Shard)
		}

		topic := (&store{group: s.Group, generation: s.Generation}).topic()
		if _, err := tx.Exec(ctx, `SELECT pg_notify($1, $2)`, channel, topic); err != nil { // is sent when tx commits
			return fmt.Errorf("tell the workers of %s: %w", s.Shard, err)
		}
	}
	return nil
}
