package points

import (
	"errors"
	"fmt"
	"time"

	"tandem/services/domain/event"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
)

// Arrival is a point as it arrived on the stream.
type Arrival struct {
	event.Point
	Arrived        time.Time
	Shard          string
	SequenceNumber string // the record's on the stream; Seq is the driver's
	Sub            int    // its place in the record
	// Rises reports whether the point is newer than all before it of its driver.
	// A Group sets it before it calls Apply.
	Rises bool
	// Returns reports that the Group had set this record aside, and has not applied it or
	// a repeat of it since: it is new, also where it does not rise any more.
	Returns bool

	trace string // the traceparent that it carries; of most, empty
}

// Decode reads the point that a record carries, for what reads the stream again. Whether
// it rises is the caller's to say. An error means that the record is no point: a Group
// has parked it.
func Decode(r shardreader.Record) (Arrival, error) { return decode(r.Shard, r) }

func decode(shard string, r shardreader.Record) (Arrival, error) {
	p, err := event.DecodePoint(r.Key, r.Data)
	if err != nil {
		return Arrival{}, err
	}
	return Arrival{Point: p, Arrived: r.Arrived, Shard: shard, SequenceNumber: r.Sequence, Sub: r.Sub, trace: string(r.Trace)}, nil
}

// Position is where it lies on the stream.
func (a Arrival) Position() shardreader.Position {
	return shardreader.Position{Shard: a.Shard, Sequence: a.SequenceNumber, Sub: a.Sub}
}

// decodeAll decodes a batch. Its error names every record that is no point, so
// that the group sets all of them aside in one step instead of one for each try.
func decodeAll(b shardreader.Batch) ([]Arrival, error) {
	batch := make([]Arrival, 0, len(b.Records))
	var bad []error
	for _, r := range b.Records {
		a, err := decode(b.Shard, r)
		if err != nil {
			bad = append(bad, shardgroup.Undecodable(r.Position, err))
			continue
		}
		batch = append(batch, a)
	}

	if len(bad) > 0 {
		return nil, fmt.Errorf("points: %w", errors.Join(bad...))
	}

	return batch, nil
}
