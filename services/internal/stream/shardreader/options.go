package shardreader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Options of a Reader. Client and Stream are needed.
type Options struct {
	Client Client
	Stream string // the stream's name or ARN; an ARN may be of another account

	// FanOut and Consumer, both set, let shards be read by enhanced fan-out.
	// Consumer is asked before each turn: it returns the ARN of the consumer that
	// may be used until held ends. No ARN: poll. A reader that has a consumer for
	// itself always returns context.Background() and that consumer's ARN; readers
	// that share consumers lease them (package shardgroup).
	FanOut   FanOutClient
	Consumer func() (held context.Context, arn string)

	// Created, when set, is the creation time of the stream that positions
	// belong to: another one is ErrStreamChanged. Else the stream found first.
	Created time.Time
	// PollEvery is the time between two calls for a shard at the tip; 0 is 1 s.
	// All polling readers share five calls a second of each shard.
	PollEvery time.Duration
	// CatchUpBytes bounds what is read of one shard in a second; 0 is 2 MB, all that
	// a shard serves to its polling readers together. Reading begins with half of
	// it, takes more while nothing is throttled, and halves it where it is: readers
	// that know nothing of each other come to equal shares.
	CatchUpBytes int
	// Limit bounds the Kinesis records of one call; 0 is 5,000. No call asks for more
	// than CatchUpBytes allows until the next one, where a record is taken to have 20 kB
	// until one has come: a first call with the defaults asks for 50. The bound begins at
	// 500, is doubled while answers come within an eighth of CallTimeout, and halved after
	// one that took more than half of it.
	Limit int32
	// MaxRecords bounds the user records of one batch, of which an aggregate may hold
	// thousands; 0: whatever an answer brought. The rest comes at once, as further batches.
	MaxRecords int
	// CallTimeout bounds one call, or all calls of one poll; 0 is 10 s.
	CallTimeout time.Duration
	// Empty asks for batches without records too: they carry Behind, and that
	// the tip is known (AsOf).
	Empty bool
	// Outside, when set, lets the rule be applied that readers of the KPL's records need:
	// an aggregate's user records whose hash keys lie outside of the shard's range are left
	// out, and Outside is called with how many. Only for a stream that the KPL alone, or
	// kinesisproducer, writes to: package kpl says why. It must not block.
	Outside func(shard string, userRecords int)
	Log     *slog.Logger // nil: silent
}

// maxRecords is the most that one call may ask for.
const maxRecords = 10_000

func (o Options) withDefaults() (Options, error) {
	o.PollEvery = cmp.Or(o.PollEvery, time.Second)
	o.CatchUpBytes = cmp.Or(o.CatchUpBytes, 2_000_000)
	o.Limit = cmp.Or(o.Limit, 5000)
	o.CallTimeout = cmp.Or(o.CallTimeout, 10*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	switch {
	case o.Client == nil || o.Stream == "":
		return o, errors.New("shardreader: Client and Stream are needed")
	case o.PollEvery < 0:
		return o, wrong("PollEvery", o.PollEvery, "above 0, or 0 for the default")
	case o.CatchUpBytes < 0:
		return o, wrong("CatchUpBytes", o.CatchUpBytes, "above 0, or 0 for the default")
	case o.Limit < 0 || o.Limit > maxRecords:
		return o, wrong("Limit", o.Limit, fmt.Sprintf("1 to %d, or 0 for the default", maxRecords))
	case o.MaxRecords < 0:
		return o, wrong("MaxRecords", o.MaxRecords, "above 0, or 0 for no bound")
	case strings.HasPrefix(o.Stream, "arn:") && !strings.Contains(o.Stream, ":stream/"):
		return o, wrong("Stream", o.Stream, "a stream's name or ARN (arn:…:stream/NAME)")
	case o.CallTimeout < 0:
		return o, wrong("CallTimeout", o.CallTimeout, "above 0, or 0 for the default")
	case o.Consumer != nil && o.FanOut == nil:
		return o, wrong("Consumer", "set", "nil without a FanOut that reads by it")
	}
	return o, nil
}

// names returns what calls name the stream by: its name or, where that is what is known,
// its ARN.
func (o Options) names() (name, arn *string) {
	if strings.HasPrefix(o.Stream, "arn:") {
		return nil, &o.Stream
	}
	return &o.Stream, nil
}

func wrong(option string, is any, allowed string) error {
	return fmt.Errorf("shardreader: Options.%s is %v; allowed is %s", option, is, allowed)
}
