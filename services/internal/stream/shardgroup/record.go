package shardgroup

import (
	"errors"
	"fmt"

	"tandem/services/internal/stream/shardreader"
)

// ErrUndecodable is wrapped by a RecordError whose record can never be read:
// it is parked at once.
var ErrUndecodable = errors.New("shardgroup: the record can't be decoded")

// ErrRefused is wrapped by a RecordError whose record can be read, and is refused
// for good: it too is parked at once.
var ErrRefused = errors.New("shardgroup: the record is refused")

// RecordError is what a Processor returns when one record is to blame.
// Several are joined with errors.Join. Any other error is no record's fault: the
// batch is tried again for as long as it takes.
type RecordError struct {
	Position shardreader.Position
	Err      error
}

// Error names the record.
func (e *RecordError) Error() string {
	return fmt.Sprintf("record %s %s/%d: %v", e.Position.Shard, e.Position.Sequence, e.Position.Sub, e.Err)
}

// Unwrap returns the reason.
func (e *RecordError) Unwrap() error { return e.Err }

// Undecodable returns the error of a record that can't be decoded.
func Undecodable(p shardreader.Position, err error) error {
	return &RecordError{Position: p, Err: fmt.Errorf("%w: %w", ErrUndecodable, err)}
}

// Refused returns the error of a record that is refused for good.
func Refused(p shardreader.Position, err error) error {
	return &RecordError{Position: p, Err: fmt.Errorf("%w: %w", ErrRefused, err)}
}

// recordErrors finds the RecordErrors in err, also joined ones, of which
// errors.As would find the first alone.
func recordErrors(err error) []*RecordError {
	if one, ok := err.(*RecordError); ok { //nolint:errorlint // the tree is walked by hand
		return []*RecordError{one}
	}

	switch x := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() []error }:
		var out []*RecordError
		for _, e := range x.Unwrap() {
			out = append(out, recordErrors(e)...)
		}
		return out
	case interface{ Unwrap() error }:
		return recordErrors(x.Unwrap())
	}

	return nil
}

// Poison decides what becomes of a record that its Processor keeps refusing with
// a RecordError.
type Poison int

// The policies.
const (
	Stop Poison = iota // nothing behind it is applied: it is tried again, with backoff, without end
	Park               // after MaxTries it is parked, and its shard goes on
)

// parkedRecord is written to dead_records with the next checkpoint.
type parkedRecord struct {
	shardreader.Record
	reason string
}
