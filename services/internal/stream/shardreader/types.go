package shardreader

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Position is the last user record of a shard that was handled. An empty
// Sequence means that none was.
type Position struct {
	Shard    string
	Sequence string
	Sub      int
}

// Compare returns -1, 0 or +1 where p lies before, at or after q, a position of the same
// shard. One without a Sequence lies before all others.
func (p Position) Compare(q Position) int {
	// Sequence numbers are decimal numbers, of up to 128 digits and not all equally many.
	a, b := strings.TrimLeft(p.Sequence, "0"), strings.TrimLeft(q.Sequence, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b), cmp.Compare(p.Sub, q.Sub))
}

// Record is one user record. Arrived is the stream's arrival stamp, the only
// clock that all readers share. Data is the record's own; a handler may keep it.
type Record struct {
	Position
	Key     string
	Data    []byte
	Arrived time.Time
	// Trace is the traceparent that its producer put beside it (kpl.TraceTag); nil:
	// none. It is what somebody wrote, and may be anything.
	Trace []byte
}

// Batch is what one poll of one shard, or one event of a subscription, brought.
type Batch struct {
	Shard   string
	Records []Record
	Next    Position      // where the shard is read to once this batch is handled
	Behind  time.Duration // how far from the shard's tip; 0 at the tip
	Closed  bool          // the shard was split or merged and this is its last batch

	// AsOf is this machine's time when the call was sent: at the tip, what
	// arrived before it has been handed over. By fan-out: when the subscription
	// was asked for, or the last record's arrival, whichever is later.
	AsOf time.Time
	// Trimmed reports that the record which reading was to go on after is no
	// longer kept: what followed it may be lost, up to the first record of this
	// batch, or all of it where a closed shard's last batch has none.
	Trimmed bool
}

// Shard is one shard of a stream and what it came from.
type Shard struct {
	ID      string
	Parents []string // one after a split, two after a merge; those past retention too
	Closed  bool     // takes no more records

	hashKeys *types.HashKeyRange
}

// Stream is one life of a stream: a recreated stream has the same name and ARN,
// and another Created.
type Stream struct {
	ARN       string
	Created   time.Time
	Retention time.Duration
}

// Errors that end reading.
var (
	// ErrStreamChanged: the stream was deleted and created again. Its records are
	// others; no position of the old one means anything. Read from Horizon.
	ErrStreamChanged = errors.New("shardreader: the stream was recreated")
	// ErrShardGone: the shard was closed and all its records passed retention.
	ErrShardGone = errors.New("shardreader: the shard is no longer kept")
	// ErrNoShard: a position given to After has a Sequence and no Shard.
	ErrNoShard = errors.New("shardreader: the position does not say of which shard it is")
)
