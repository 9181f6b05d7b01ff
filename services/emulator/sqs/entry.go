package sqs

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
)

// entry is one change. What one call changes stands in one frame of the
// journal, so that all of it is kept or none.
type entry struct {
	Op         op
	Queue      string
	To         string // opMove: the other queue
	ID         string // opDelete, opMove: the message
	At         int64  // ms; opVersion and opSequence: the number
	Attributes map[string]string
	Tags       map[string]string
	Message    *message
	Dedup      *dedupEntry
	Task       string // opTask: a moveTask as JSON
}

type op byte

const (
	opVersion op = iota + 1 // the first of a file
	opQueue
	opAttributes
	opTags
	opDeleteQueue
	opSend
	opDelete
	opPurge
	opMove
	opTask
	// In a compacted journal only.
	opSequence
	opDedup
	opGone // a queue deleted lately
)

// version is of the entries; the frames have their own.
const version = 4

// errEntry is returned for what this version did not write. It is not skipped:
// forgetting silently is worse than not starting.
var errEntry = errors.New("sqs: the journal is of another version; start afresh with --fresh")

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendMap(b []byte, m map[string]string) []byte {
	b = binary.AppendUvarint(b, uint64(len(m)))
	if len(m) == 0 {
		return b
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		b = appendText(appendText(b, k), m[k])
	}
	return b
}

// append writes all fields in order; what is not there takes a byte.
func (e entry) append(b []byte) []byte {
	b = append(b, byte(e.Op))
	b = appendText(appendText(appendText(b, e.Queue), e.To), e.ID)
	b = binary.AppendVarint(b, e.At)
	b = appendMap(appendMap(b, e.Attributes), e.Tags)
	b = appendText(b, e.Task)
	if d := e.Dedup; d != nil {
		b = appendText(appendText(append(b, 1), d.Key), d.ID)
		b = binary.AppendVarint(binary.AppendUvarint(b, d.Seq), d.Until)
	} else {
		b = append(b, 0)
	}
	if e.Message == nil {
		return append(b, 0)
	}
	return e.Message.append(append(b, 1))
}

func (m *message) append(b []byte) []byte {
	for _, s := range [...]string{m.ID, m.Body, m.Group, m.Dedup, m.Trace, m.Source} {
		b = appendText(b, s)
	}
	for _, n := range [...]int64{m.Sent, m.Arrived, m.Due, int64(m.Seq), int64(m.Received)} {
		b = binary.AppendVarint(b, n)
	}
	b = binary.AppendUvarint(b, uint64(len(m.Attributes)))
	if len(m.Attributes) == 0 {
		return b
	}
	for _, name := range slices.Sorted(maps.Keys(m.Attributes)) {
		a := m.Attributes[name]
		b = appendText(appendText(appendText(appendText(b, name), a.DataType), a.StringValue), string(a.BinaryValue))
	}
	return b
}

// frameSize is how many bytes of entries go into one frame, unless one has more.
const frameSize = 4 << 20

// encode appends entries to b, each after its length, and gives the frames that
// they make.
func encode(b []byte, entries ...entry) (buf []byte, frames [][]byte) {
	ends := []int{}
	from := len(b)
	for _, e := range entries {
		at := len(b)
		b = e.append(append(b, 0, 0, 0, 0))
		if len(b)-from > frameSize && at > from {
			ends, from = append(ends, at), at
		}
		binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-entryHead))
	}
	from = 0
	for _, end := range append(ends, len(b)) {
		frames, from = append(frames, b[from:end]), end
	}
	return b, frames
}

const entryHead = 4 // the length of an entry, little endian
