package kinesisproducer

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"tandem/services/internal/stream/kpl"
)

// Options of a Producer. Client and Stream are needed.
type Options struct {
	Client  Client
	Stream  string       // the stream's name
	Buckets kpl.Buckets  // fixed for the life of the stream
	Log     *slog.Logger // nil: silent

	Linger time.Duration // how long the first item of a record waits for more, at most
	// Spacing is the least time from one record of a bucket to its next, for a backend to
	// which records are dear; up to Linger counts. 0: as many as its shard takes.
	Spacing      time.Duration
	AggregateMax int           // bytes of one record, from 1 KiB; 0 is 48 KiB
	MaxPending   int           // bytes that may wait or be in flight; 0 is 32 MiB
	CallWithin   time.Duration // bounds one PutRecords; 0 is 5 s
	// Report, when set, is called for each record that was acknowledged, and Failed for
	// each try of one that was not. They must not block, nor call the Producer.
	Report func(Stored)
	Failed func(bucket int, cause Cause)
	// Trace, when set, is asked once for each Put, and returns the W3C traceparent that
	// the first of its data carries beside it; "": none. It is for one Put in many: it
	// costs kpl.TraceSize bytes.
	Trace func(ctx context.Context) string
}

// Stored is a record that the stream has acknowledged. A bucket that is near what a shard
// takes, alone, is hot: it lies in one shard whatever the number of shards. There are
// Buckets.Count() buckets, so one label of a metric may be each.
type Stored struct {
	Shard       string
	Bucket      int // from 0
	UserRecords int
	Bytes       int           // of the record's data
	Waited      time.Duration // from the Put of its first item to now
}

// Bounds of AggregateMax. With a partition key of the greatest length, each of its
// characters four bytes, a record may not be over the 1 MiB that a stream takes
// unless it is told otherwise.
const (
	minAggregate = 1 << 10
	maxAggregate = 1<<20 - maxKey*4
)

func (o Options) withDefaults() (Options, error) {
	o.AggregateMax = cmp.Or(o.AggregateMax, 48<<10)
	o.MaxPending = cmp.Or(o.MaxPending, 32<<20)
	o.CallWithin = cmp.Or(o.CallWithin, 5*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	if o.Report == nil {
		o.Report = func(Stored) {}
	}
	if o.Failed == nil {
		o.Failed = func(int, Cause) {}
	}
	if o.Trace == nil {
		o.Trace = func(context.Context) string { return "" }
	}

	switch {
	case o.Client == nil:
		return o, wrong("Client", "nil", "a client of Kinesis")
	case o.Stream == "":
		return o, wrong("Stream", "empty", "the stream's name")
	case o.Buckets > kpl.MaxBuckets:
		return o, wrong("Buckets", o.Buckets, fmt.Sprintf("0 to %d: there are 2 to the power of it", kpl.MaxBuckets))
	case o.Linger < 0:
		return o, wrong("Linger", o.Linger, "0 or more")
	case o.Spacing < 0:
		return o, wrong("Spacing", o.Spacing, "0 or more")
	case o.AggregateMax < minAggregate || o.AggregateMax > maxAggregate:
		return o, wrong("AggregateMax", o.AggregateMax, fmt.Sprintf("%d to %d bytes, or 0 for the default", minAggregate, maxAggregate))
	case o.MaxPending < 0:
		return o, wrong("MaxPending", o.MaxPending, "1 byte or more, or 0 for the default")
	case o.CallWithin < 0:
		return o, wrong("CallWithin", o.CallWithin, "above 0, or 0 for the default")
	}
	return o, nil
}

func wrong(option string, is any, allowed string) error {
	return fmt.Errorf("kinesisproducer: Options.%s is %v; allowed is %s", option, is, allowed)
}
