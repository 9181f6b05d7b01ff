package shardgroup

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/internal/stream/shardreader"
)

// Options of a Group. Client, Stream, Pool, Name, Worker and Processor are needed.
type Options struct {
	Client shardreader.Client
	Stream string // the stream's name or ARN
	Pool   *pgxpool.Pool

	Name       string // the group: each group reads every record once
	Generation int    // a rebuild reads everything again under the next one
	Worker     string // unique among all workers, also over restarts: WorkerID returns one
	// Processor returns the processor of one shard, for as long as the lease is
	// held and nothing fails: what it caches is true for that long.
	Processor func(shard string) Processor

	Lease     time.Duration // how long a lease lasts after it was renewed; 0 is 10 s
	PollEvery time.Duration // see shardreader.Options
	// CatchUpBytes bounds what is read of one shard in a second: see shardreader.Options.
	CatchUpBytes int
	MaxRecords   int  // of a batch, and so of a transaction: see shardreader.Options
	Latest       bool // a new group starts with what arrives from now on, not with the oldest record
	Poison       Poison
	MaxTries     int           // of a record under Park; 0 is 5
	Backoff      time.Duration // the longest wait between tries; 0 is 15 s
	Metrics      Metrics       // nil: none
	Log          *slog.Logger  // nil: silent
}

func (o Options) withDefaults() (Options, error) {
	o.Lease = cmp.Or(o.Lease, 10*time.Second)
	o.MaxTries = cmp.Or(o.MaxTries, 5)
	o.Backoff = cmp.Or(o.Backoff, 15*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = silent{}
	}

	switch {
	case o.Client == nil || o.Stream == "" || o.Pool == nil:
		return o, errors.New("shardgroup: Client, Stream and Pool are needed")
	case o.Name == "" || o.Worker == "" || o.Processor == nil:
		return o, errors.New("shardgroup: Name, Worker and Processor are needed")
	case o.Lease < 0:
		return o, wrong("Options.Lease", o.Lease)
	case o.MaxTries < 0:
		return o, wrong("Options.MaxTries", o.MaxTries)
	case o.Backoff < 0:
		return o, wrong("Options.Backoff", o.Backoff)
	}

	// What is handed on is checked where it is used.
	if _, err := shardreader.New(o.reader(time.Time{})); err != nil {
		return o, fmt.Errorf("shardgroup: %w", err)
	}
	return o, nil
}

// reader are the options of a reader of the stream that was created then. Created
// ties it to this life; Empty lets it say when it is at the tip.
func (o Options) reader(created time.Time) shardreader.Options {
	return shardreader.Options{
		Client: o.Client, Stream: o.Stream, Created: created, PollEvery: o.PollEvery, CatchUpBytes: o.CatchUpBytes,
		MaxRecords: o.MaxRecords, Empty: true, Log: o.Log,
	}
}

func wrong(option string, is any) error {
	return fmt.Errorf("shardgroup: %s is %v; allowed is above 0, or 0 for the default", option, is)
}
