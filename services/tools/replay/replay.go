package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/history"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
)

// ErrRefused is wrapped by what cannot be replayed; nothing was changed.
var ErrRefused = errors.New("replay: refused")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrRefused, fmt.Errorf(format, args...))
}

// Config says what to read again, and from where to where. All but DryRun and Log are
// needed.
type Config struct {
	DatabaseURL string
	AWS         awsclient.Config
	Span        Span
	DryRun      bool // find out what would change, and change nothing
	Out         io.Writer
	Log         *slog.Logger

	client shardreader.Client // tests
}

// run is one replay.
type run struct {
	Config
	pool   *pgxpool.Pool
	source *source
	reader string // the group whose rows are replaced
	mark   event.Mark
	known  map[string]bool // drivers whose mark of before the span was looked up
	parked map[shardreader.Position]bool
	begun  map[string]bool // shards of which a record was ever applied

	passed, unread int // records that were parked, or are no points
}

// open refuses what is known to be refused before anything is read.
func open(ctx context.Context, cfg Config, reader string) (*run, error) {
	// The clock of the stream has milliseconds.
	cfg.Span = Span{cfg.Span.From.UTC().Truncate(time.Millisecond), cfg.Span.To.UTC().Truncate(time.Millisecond)}
	if !cfg.Span.From.Before(cfg.Span.To) {
		return nil, refuse("the span from %s to %s is empty: --from must be before --to", cfg.Span.From.Format(stamp), cfg.Span.To.Format(stamp))
	}

	pool, err := postgres.Open(ctx, cfg.DatabaseURL, postgres.PoolOptions{App: "replay", MaxConns: 4})
	if err != nil {
		return nil, err
	}
	r := &run{Config: cfg, pool: pool, reader: reader, mark: event.NewMark(), known: map[string]bool{}}
	if err := r.open(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return r, nil
}

func (r *run) open(ctx context.Context) (err error) {
	if r.source, err = openSource(ctx, r.Config); err != nil {
		return err
	}
	if err := r.source.check(r.Span); err != nil {
		return err
	}
	if err := r.fence(ctx); err != nil {
		return err
	}
	r.parked, err = r.readParked(ctx)
	return err
}

func (r *run) readParked(ctx context.Context) (map[shardreader.Position]bool, error) {
	return shardgroup.ReadParked(ctx, r.pool, r.reader, r.source.stream.Created, r.Span.From, r.Span.To)
}

// fence refuses a span that the live readers have not applied wholly: their next batches
// would meet rows of the future, by which they would judge what is new. The marks of
// before the span are history's, so history is asked for always.
func (r *run) fence(ctx context.Context) error {
	r.begun = map[string]bool{}
	for _, reader := range []string{history.Name, r.reader} {
		shards, err := shardgroup.States(ctx, r.pool, reader)
		if err != nil && !errors.Is(err, shardgroup.ErrNoGroup) {
			return err
		}
		known := map[string]shardgroup.ShardState{}
		for _, s := range shards {
			if s.Created.Equal(r.source.stream.Created) { // else it has not come to this stream yet
				known[s.Shard] = s
				r.begun[s.Shard] = r.begun[s.Shard] || s.Begun
			}
		}

		for _, s := range r.source.shards {
			at, ok := known[s.ID]
			switch {
			case !ok:
				return refuse("%s has not begun to read the shard %s; try again in a moment", reader, s.ID)
			case at.Drained || !at.Known.Before(r.Span.To.Add(settle)):
			default:
				return refuse("the span ends at %s, and %s has applied %s up to %s (and %s more is needed, for clocks); end before that, or try again",
					r.Span.To.Format(stamp), reader, s.ID, at.Known.UTC().Format(stamp), settle)
			}
		}
	}
	return nil
}

// read hands over the points of the span as the reader got them, with Rises set by the
// marks of before the span.
func (r *run) read(ctx context.Context, handle func(context.Context, []points.Arrival) error) error {
	_, _ = fmt.Fprintf(r.Out, "reading again what arrived from %s on %d shards\n", r.Span, len(r.source.shards))
	err := r.source.read(ctx, r.Span, func(ctx context.Context, records []shardreader.Record) error {
		batch := make([]points.Arrival, 0, len(records))
		for _, rec := range records {
			// What is parked comes back when the reader is sent back, which tells audit so.
			if r.parked[rec.Position] {
				r.passed++
				continue
			}
			a, err := points.Decode(rec)
			if err != nil {
				r.unread++
				continue
			}
			batch = append(batch, a)
		}

		if err := r.recall(ctx, batch); err != nil {
			return err
		}
		for i, a := range batch {
			batch[i].Rises = r.mark.Rises(a.Driver, a.Seq)
		}
		if len(batch) == 0 {
			return nil
		}
		return handle(ctx, batch)
	})
	if err != nil {
		return err
	}

	// By now the oldest record of the span may be gone, and then it may have been before
	// it was read. And a reader may have been sent back meanwhile.
	if err := r.source.check(r.Span); err != nil {
		return err
	}
	return r.fence(ctx)
}

// still refuses where a record came back that was left out as parked: its row would be
// taken for one that the stream does not have.
func (r *run) still(ctx context.Context) error {
	now, err := r.readParked(ctx)
	if err == nil && !maps.Equal(now, r.parked) {
		err = refuse("%s was sent back meanwhile, and has applied records that it had parked; try again", r.reader)
	}
	return err
}

// recall looks up the marks of the drivers that were not met before.
func (r *run) recall(ctx context.Context, batch []points.Arrival) error {
	var unknown []string
	for _, a := range batch {
		if !r.known[a.Driver] {
			r.known[a.Driver] = true
			unknown = append(unknown, a.Driver)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return history.NewestBefore(ctx, r.pool, unknown, r.Span.From, r.mark)
}

// sayPassed tells of the records that count for nothing.
func (r *run) sayPassed() {
	if r.passed+r.unread > 0 {
		_, _ = fmt.Fprintf(r.Out, "left out: %d records that %s has parked, %d that are no points\n", r.passed, r.reader, r.unread)
	}
}

// Report is the result of a replay. Equal is true where the rows were what the stream
// says already.
type Report struct {
	Span          Span
	Equal         bool
	Before, After Digest
	Built         Digest // of the heatmap: all that the span's records come to
}

// Digest is a number of rows and the SHA-256 of them.
type Digest struct {
	Rows   int64
	SHA256 string
}
