package sqs

import (
	"encoding/binary"
	"errors"
	"fmt"
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

// decoder reads what append wrote; after the first mistake it gives zeros.
type decoder struct {
	b  []byte
	ok bool
}

func (d *decoder) uvarint() uint64 {
	n, size := binary.Uvarint(d.b)
	if size <= 0 {
		d.b, d.ok = nil, false
		return 0
	}
	d.b = d.b[size:]
	return n
}

func (d *decoder) varint() int64 {
	n, size := binary.Varint(d.b)
	if size <= 0 {
		d.b, d.ok = nil, false
		return 0
	}
	d.b = d.b[size:]
	return n
}

// count reads how many follow; each takes a byte at least.
func (d *decoder) count() int {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.b, d.ok = nil, false
		return 0
	}
	return int(n)
}

func (d *decoder) text() string {
	n := d.count()
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) flag() bool {
	n := d.uvarint()
	d.ok = d.ok && n <= 1
	return n == 1
}

func (d *decoder) texts() map[string]string {
	n := d.count()
	if n == 0 {
		return nil
	}
	m := map[string]string{}
	for range n {
		k := d.text()
		m[k] = d.text()
	}
	return m
}

func (d *decoder) message() *message {
	m := &message{}
	for _, s := range [...]*string{&m.ID, &m.Body, &m.Group, &m.Dedup, &m.Trace, &m.Source} {
		*s = d.text()
	}
	m.Sent, m.Arrived, m.Due = d.varint(), d.varint(), d.varint()
	m.Seq, m.Received = uint64(d.varint()), int(d.varint())
	if n := d.count(); n > 0 {
		m.Attributes = make(map[string]attribute, min(n, 10))
		for range n {
			name := d.text()
			a := attribute{DataType: d.text(), StringValue: d.text()}
			if v := d.text(); v != "" {
				a.BinaryValue = []byte(v)
			}
			m.Attributes[name] = a
		}
	}
	return m
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

// decodeFrame calls apply for each entry of a frame.
func decodeFrame(frame []byte, apply func(entry) error) error {
	for len(frame) > 0 {
		n := entryHead
		if len(frame) >= entryHead {
			n += int(binary.LittleEndian.Uint32(frame))
		}
		if n > len(frame) {
			return fmt.Errorf("%w: a frame cannot be read", errEntry)
		}
		e, err := decodeEntry(frame[entryHead:n])
		if err != nil {
			return err
		}
		frame = frame[n:]
		if err := apply(e); err != nil {
			return err
		}
	}
	return nil
}

// decodeEntry reads one entry.
func decodeEntry(b []byte) (entry, error) {
	if len(b) == 0 {
		return entry{}, fmt.Errorf("%w: an empty entry", errEntry)
	}
	d := decoder{b: b[1:], ok: true}
	e := entry{Op: op(b[0]), Queue: d.text(), To: d.text(), ID: d.text(), At: d.varint(), Attributes: d.texts(), Tags: d.texts(), Task: d.text()}
	if d.flag() {
		e.Dedup = &dedupEntry{Key: d.text(), ID: d.text(), Seq: d.uvarint(), Until: d.varint()}
	}
	if d.flag() {
		e.Message = d.message()
	}
	if !d.ok || len(d.b) > 0 {
		return entry{}, fmt.Errorf("%w: operation %d cannot be read", errEntry, e.Op)
	}
	return e, nil
}
