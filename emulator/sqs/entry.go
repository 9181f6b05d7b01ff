package sqs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// entry is one change of the queues. What one call changes is one frame of the
// journal, as JSON, so that all of it is kept or none.
type entry struct {
	Op         op
	Queue      string            `json:",omitempty"`
	To         string            `json:",omitempty"` // opMove: the other queue
	ID         string            `json:",omitempty"` // opMove: the message
	IDs        []string          `json:",omitempty"` // opDelete: the messages
	At         int64             `json:",omitempty"` // ms; opVersion and opSequence: the number
	Attributes map[string]string `json:",omitempty"`
	Message    *message          `json:",omitempty"`
	Dedup      *dedupEntry       `json:",omitempty"`
	Task       *moveTask         `json:",omitempty"`
}

type op byte

const (
	opVersion op = iota + 1 // the first of a file
	opQueue
	opAttributes
	_ // was the tags of a queue, which are no longer kept
	opDeleteQueue
	opSend
	opDelete
	opPurge
	opMove
	opTask
	// In a compacted journal only.
	opSequence
	opDedup
	opGone // a queue deleted lately, whose name can't be used yet
)

// version is the entries' version; the frames have their own.
const version = 6

// errEntry is returned for an entry that this version did not write. Such an entry
// is not skipped: to lose messages silently is worse than not to start.
var errEntry = errors.New("sqs: the journal is of another version; start afresh with --fresh")

// frameSize is the number of bytes after which another frame begins. The entries
// of one call are below it.
const frameSize = 4 << 20

// encode returns the frames of entries.
func encode(entries ...entry) (frames [][]byte) {
	var b *bytes.Buffer
	var enc *json.Encoder
	for _, e := range entries {
		if b == nil || b.Len() >= frameSize {
			if b != nil {
				frames = append(frames, b.Bytes())
			}
			b = &bytes.Buffer{}
			enc = json.NewEncoder(b)
			enc.SetEscapeHTML(false)
		}

		_ = enc.Encode(e) // of texts and numbers: cannot fail
	}

	return append(frames, b.Bytes())
}

// decode calls apply for each entry of a frame.
func decode(frame []byte, apply func(entry) error) error {
	for d := json.NewDecoder(bytes.NewReader(frame)); ; {
		var e entry
		err := d.Decode(&e)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: a frame cannot be read: %w", errEntry, err)
		}

		if err := apply(e); err != nil {
			return err
		}
	}
}
