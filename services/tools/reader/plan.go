package reader

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"tandem/services/domain/event"
	"tandem/services/history"
	"tandem/services/internal/problem"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/tools/deadletter"
)

// plan is an act that may be done.
type plan struct {
	subject string
	do      func(ctx context.Context, tx pgx.Tx) (result string, err error)
}

// rereads are the groups that may read again: what they applied once changes nothing a
// second time. Whoever adds a reader says so of it here.
func rereads() map[string]string {
	return map[string]string{
		"history":  "a row's key is driver and sequence",
		"heatmap":  "a point counts if it is above its driver's mark",
		"speeding": "a row is the fastest point",
	}
}

var recordName = regexp.MustCompile(`^[0-9]+/[0-9]+$`)

// plan refuses what cannot be, with the reason, and changes nothing.
func (t *Tool) plan(ctx context.Context, act, group string, states []shardgroup.ShardState, ask Ask, by deadletter.By) (plan, error) {
	if act != Seek && !ask.To.IsZero() {
		return plan{}, problem.Field("to", "Only a seek has a time.")
	}
	if act != Park && act != Skip && ask.Record != "" {
		return plan{}, problem.Field("record", "Only park and skip are of one record.")
	}
	if ask.Record != "" && ask.Record != Parked && !recordName.MatchString(ask.Record) {
		return plan{}, problem.Field("record", "It is SEQUENCE/SUB as the record is listed, or of a skip %q.", Parked)
	}
	shards, err := named(group, states, ask.Shards)
	if err != nil {
		return plan{}, err
	}

	switch act {
	case Pause, Resume:
		return pauseOrResume(act, group, shards)
	case Seek:
		return t.seek(ctx, group, shards, ask.To)
	case Park, Skip:
		if n := utf8.RuneCountInString(strings.TrimSpace(by.Why)); n < 3 {
			return plan{}, problem.Field("why", "Say in 3 to 500 characters why the record is not applied.")
		}
		if len(ask.Shards) != 1 {
			return plan{}, problem.Field("shards", "Name the one shard whose record it is.")
		}
		return t.setAside(ctx, act, group, shards[0], ask.Record, by)
	}
	return plan{}, problem.New(problem.NotFound, "There is no act %q; these are: %s.", act, strings.Join([]string{Pause, Resume, Seek, Park, Skip}, ", "))
}

func pauseOrResume(act, group string, shards []shardgroup.ShardState) (plan, error) {
	shards = slices.DeleteFunc(slices.Clone(shards), func(s shardgroup.ShardState) bool { return s.Drained || (s.PausedAt != nil) == (act == Pause) })
	if len(shards) == 0 {
		return plan{}, problem.New(problem.Conflict, "All these shards of %s are drained, or %s already.", group, map[string]string{Pause: "paused", Resume: "not paused"}[act])
	}
	if act == Pause {
		return plan{list(shards), func(ctx context.Context, tx pgx.Tx) (string, error) {
			return "nobody reads it until it is resumed", shardgroup.Pause(ctx, tx, shards...)
		}}, nil
	}
	return plan{list(shards), func(ctx context.Context, tx pgx.Tx) (string, error) {
		return "it is read on", shardgroup.Resume(ctx, tx, shards...)
	}}, nil
}

// seek plans to send those of the shards back that are past a time.
func (t *Tool) seek(ctx context.Context, group string, shards []shardgroup.ShardState, to time.Time) (plan, error) {
	if _, ok := rereads()[group]; !ok {
		return plan{}, problem.New(problem.Conflict, "Nobody has said that the rows of %s come out the same when it reads again, so it is not sent back.", group)
	}
	stream, err := t.stream(ctx, shards[0])
	if err != nil {
		return plan{}, err
	}

	now := time.Now()
	oldest := now.Add(-stream.Retention)
	switch begins := shards[0].Begins; {
	case to.IsZero():
		return plan{}, problem.Field("to", "Say to which time.")
	case to.After(now):
		return plan{}, problem.Field("to", "It is in the future.")
	case to.Before(oldest):
		return plan{}, problem.Field("to", "The stream keeps nothing from before %s: a part of what you want is gone.", oldest.UTC().Format(time.RFC3339))
	case begins != nil && to.Before(*begins):
		return plan{}, problem.Field("to", "Reader %s began at %s and does not answer for what was before.", group, begins.UTC().Format(time.RFC3339))
	}

	// A shard that is not there yet stays: to send it forward would pass over records.
	shards = slices.DeleteFunc(slices.Clone(shards), func(s shardgroup.ShardState) bool { return !s.Known.After(to) })
	if len(shards) == 0 {
		return plan{}, problem.Field("to", "No such shard of %s has got so far: a seek goes back, and never forward over what is not applied.", group)
	}

	// A point that history dropped, or counted as too late, would be counted again.
	if group == "history" {
		counted, err := history.ExpiredSince(ctx, t.o.Pool, to)
		if err != nil {
			return plan{}, err
		}
		if counted {
			return plan{}, problem.New(problem.Conflict, "History has let points expire since then, and would count those again: choose a later time.")
		}
	}
	return plan{list(shards), func(ctx context.Context, tx pgx.Tx) (string, error) {
		return "it reads again what has arrived since " + to.UTC().Format(time.RFC3339Nano), shardgroup.Seek(ctx, tx, to, shards...)
	}}, nil
}

// setAside plans to pass over the record at which a shard stands, or with Skip to say
// that nobody needs to look at those that are parked.
func (t *Tool) setAside(ctx context.Context, act, group string, s shardgroup.ShardState, record string, by deadletter.By) (plan, error) {
	// Without a name it is what there is.
	if record == "" && s.FailingAt == nil && act == Skip && s.Parked > 0 {
		record = Parked
	}

	switch {
	case record == Parked && act == Park:
		return plan{}, problem.Field("record", "It is parked already; skip what nobody needs to look at.")
	case record == Parked && s.Parked == 0:
		return plan{}, problem.New(problem.Conflict, "No record of %s on %s is parked that nobody has skipped.", s.Shard, group)
	case record == Parked:
		return plan{s.Shard, func(ctx context.Context, tx pgx.Tx) (string, error) {
			n, err := shardgroup.SkipParked(ctx, tx, s) // perhaps more by now than when s was looked at
			return fmt.Sprintf("%d parked, and nobody needs to look at them", n), err
		}}, nil
	case s.FailingAt == nil && s.Failing != "":
		return plan{}, problem.New(problem.Conflict, "Reader %s fails on %s, and which record is to blame is not known, or none is: %s. Look again in a moment.", group, s.Shard, s.Failing)
	case s.FailingAt == nil:
		return plan{}, problem.New(problem.Conflict, "Reader %s does not stand at a record of %s: nothing is in its way.", group, s.Shard)
	case record != "" && record != position(*s.FailingAt):
		return plan{}, problem.New(problem.Conflict, "Reader %s stands at record %s of %s, and not at %s: nothing was done.", group, position(*s.FailingAt), s.Shard, record)
	}

	rec, err := t.next(ctx, s)
	if err != nil {
		return plan{}, err
	}
	reason := fmt.Sprintf("%s by %s (%s): %s", map[string]string{Park: "parked", Skip: "skipped"}[act], by.Who, strings.TrimSpace(by.Why), s.Failing)
	return plan{s.Shard + " " + position(rec.Position), func(ctx context.Context, tx pgx.Tx) (string, error) {
		return "written to dead_records; the shard goes on behind it", shardgroup.SetAside(ctx, tx, s, rec, reason, act == Skip)
	}}, nil
}

var errFound = errors.New("found")

// next returns the record after a shard's checkpoint, if it is the one that fails.
func (t *Tool) next(ctx context.Context, s shardgroup.ShardState) (rec shardreader.Record, err error) {
	if _, err := t.stream(ctx, s); err != nil {
		return rec, err
	}
	r, err := shardreader.New(shardreader.Options{Client: t.o.Client, Stream: event.Stream, Created: s.Created, Empty: true})
	if err != nil {
		return rec, err
	}
	start := shardreader.After(s.Position)
	if s.Sequence == "" {
		if start = shardreader.Horizon(); s.Start != nil {
			start = shardreader.At(*s.Start)
		}
	}

	// Nobody waits longer for an answer than this.
	within, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	err = r.Shard(within, s.Shard, start, func(_ context.Context, b shardreader.Batch) error {
		switch {
		case len(b.Records) > 0:
			rec = b.Records[0]
			return errFound
		case b.Behind == 0:
			return errFound // the end, and no record
		}
		return nil
	})
	switch {
	case errors.Is(err, errFound) && rec.Position == *s.FailingAt:
		return rec, nil
	case errors.Is(err, errFound):
		return rec, problem.New(problem.Conflict, "The next record of %s is not the one that failed: it has moved on. Look again.", s.Shard)
	case err == nil:
		err = within.Err()
	}
	return rec, problem.Wrap(err, problem.Unavailable, "The record could not be read from the stream, and nothing was done. Try again.")
}

// stream describes the stream, if it is the one that a shard's group reads.
func (t *Tool) stream(ctx context.Context, s shardgroup.ShardState) (shardreader.Stream, error) {
	r, err := shardreader.New(shardreader.Options{Client: t.o.Client, Stream: event.Stream})
	if err != nil {
		return shardreader.Stream{}, err
	}
	stream, err := r.Describe(ctx)
	switch {
	case err != nil:
		return stream, problem.Wrap(err, problem.Unavailable, "The stream did not answer, and nothing was done. Try again.")
	case !stream.Created.Equal(s.Created):
		return stream, problem.New(problem.Conflict, "The stream was recreated, and %s has not begun on the new one.", s.Group)
	}
	return stream, nil
}

func list(shards []shardgroup.ShardState) string { return strings.Join(idsOf(shards), " ") }
