package reader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/internal/awsclient"
	"tandem/services/internal/postgres"
	"tandem/services/internal/problem"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/tools/deadletter"
)

// The acts.
const (
	Pause  = "pause"
	Resume = "resume"
	Seek   = "seek"
	Park   = "park"
	Skip   = "skip"
)

// Options is what a Tool needs.
type Options struct {
	Client shardreader.Client
	Pool   *pgxpool.Pool // of the groups, and of the schema operations
	Log    *slog.Logger  // nil: none
}

// Tool looks at readers and acts on them. It is safe for concurrent use. Its errors are
// problems (*problem.Error) where a person can do something about them.
type Tool struct{ o Options }

// New returns a Tool. It calls nothing.
func New(o Options) *Tool {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Tool{o}
}

// Open connects a Tool to its database and to the stream. The caller closes it.
func Open(ctx context.Context, dbURL string, where awsclient.Config, log *slog.Logger) (t *Tool, closeIt func(), err error) {
	groups := postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()}
	if err := postgres.CheckVersion(ctx, dbURL, deadletter.Schema(), groups); err != nil {
		return nil, nil, err
	}
	cfg, err := awsclient.New(ctx, where)
	if err != nil {
		return nil, nil, err
	}
	pool, err := postgres.Open(ctx, dbURL, postgres.PoolOptions{App: "reader", MaxConns: 4})
	if err != nil {
		return nil, nil, err
	}
	return New(Options{Client: kinesis.NewFromConfig(cfg), Pool: pool, Log: log}), pool.Close, nil
}

// Shard is one shard of a reader.
type Shard struct {
	Group string `json:"group"`
	Shard string `json:"shard"`
	// State is reading, failing, paused, free (nobody has its lease) or drained.
	State     string     `json:"state"`
	Worker    string     `json:"worker,omitempty"`
	Sequence  string     `json:"sequence,omitempty"` // of the last record applied
	AppliedTo time.Time  `json:"applied_to"`         // what arrived before is applied
	PausedAt  *time.Time `json:"paused_at,omitempty"`
	Error     string     `json:"error,omitempty"`      // why it stands still
	FailingAt string     `json:"failing_at,omitempty"` // the record that fails alone: SEQUENCE/SUB
	Parked    int64      `json:"parked"`               // records set aside that nobody has skipped and that did not come back
}

func shardOf(s shardgroup.ShardState) Shard {
	out := Shard{Group: s.Group, Shard: s.Shard, Worker: s.Worker, Sequence: s.Sequence, AppliedTo: s.Known.UTC(), Error: s.Failing, Parked: s.Parked}
	if s.FailingAt != nil {
		out.FailingAt = position(*s.FailingAt)
	}

	switch {
	case s.Drained:
		out.State = "drained"
	case s.PausedAt != nil:
		out.State, out.PausedAt = "paused", new(s.PausedAt.UTC())
	case s.Worker == "":
		out.State = "free"
	case s.Failing != "":
		out.State = "failing"
	default:
		out.State = "reading"
	}
	return out
}

func position(p shardreader.Position) string { return fmt.Sprintf("%s/%d", p.Sequence, p.Sub) }

// List returns the shards of a group, or with an empty name those of all groups.
func (t *Tool) List(ctx context.Context, group string) ([]Shard, error) {
	states, err := t.states(ctx, group)
	out := make([]Shard, len(states))
	for i, s := range states {
		out[i] = shardOf(s)
	}
	return out, err
}

func (t *Tool) states(ctx context.Context, group string) ([]shardgroup.ShardState, error) {
	unknown := problem.New(problem.NotFound, "No reader %q has read the stream into this database: list them.", group)
	if !utf8.ValidString(group) || strings.ContainsRune(group, 0) {
		return nil, unknown // Postgres takes no such text
	}

	states, err := shardgroup.States(ctx, t.o.Pool, group)
	if errors.Is(err, shardgroup.ErrNoGroup) {
		return nil, unknown
	}
	return states, err
}

// Parked is an Ask's Record: those of the shard that were parked before.
const Parked = "parked"

// Ask is what an act is on.
type Ask struct {
	Shards []string  // of pause, resume and seek; none: all. Of park and skip: one
	To     time.Time // of seek
	// Record is of park and skip: SEQUENCE/SUB, as List has it, or of skip Parked. Where
	// the shard stands at another one nothing is done: an act that is sent again, because
	// its answer was lost, passes over one record only. Empty: the one that it stands at,
	// and of skip where it stands at none, Parked.
	Record string
}

// Do does an act on a group, and returns its row.
func (t *Tool) Do(ctx context.Context, act, group string, ask Ask, by deadletter.By) (deadletter.Act, error) {
	if group == "" { // to States that is all of them
		return deadletter.Act{}, problem.Field("group", "Name the reader.")
	}
	if err := by.Check(act); err != nil {
		return deadletter.Act{}, err
	}
	states, err := t.states(ctx, group)
	if err != nil {
		return deadletter.Act{}, err
	}
	plan, err := t.plan(ctx, act, group, states, ask, by)
	if err != nil {
		return deadletter.Act{}, err
	}

	var out deadletter.Act
	err = pgx.BeginFunc(ctx, t.o.Pool, func(tx pgx.Tx) error {
		a, err := deadletter.Begin(ctx, tx, act, "reader "+group, plan.subject, by)
		if err != nil {
			return err
		}
		result, err := plan.do(ctx, tx)
		if err != nil {
			return err
		}
		out, err = deadletter.End(ctx, tx, a, deadletter.OutcomeDone, result)
		return err
	})
	switch {
	case errors.Is(err, shardgroup.ErrMoved):
		return out, problem.Wrap(err, problem.Conflict, "The shard has moved on since it was looked at; nothing was done. Look again.")
	case postgres.Busy(err):
		return out, problem.Wrap(err, problem.Unavailable, "A transaction of the reader is under way for longer than this may wait; nothing was done. Try again.")
	case err != nil:
		return out, err
	}

	t.o.Log.Info("reader", "act", act, "group", group, "on", plan.subject, "by", by.Who, "verified", by.Verified, "why", by.Why, "result", out.Result)
	return out, nil
}

// named returns the states of the shards that were named, or all.
func named(group string, states []shardgroup.ShardState, names []string) ([]shardgroup.ShardState, error) {
	for _, n := range names {
		if !slices.ContainsFunc(states, func(s shardgroup.ShardState) bool { return s.Shard == n }) {
			return nil, problem.Field("shards", "Reader %s has no shard %q; these are: %s.", group, n, strings.Join(idsOf(states), ", "))
		}
	}
	if len(names) == 0 {
		return states, nil
	}
	return slices.DeleteFunc(slices.Clone(states), func(s shardgroup.ShardState) bool { return !slices.Contains(names, s.Shard) }), nil
}

func idsOf(states []shardgroup.ShardState) (out []string) {
	for _, s := range states {
		out = append(out, s.Shard)
	}
	return out
}
