package sqs

import (
	"maps"
	"slices"

	"tandem/emulator/journal"
)

const (
	// compactFrom is the length in bytes below which a journal is not rewritten.
	compactFrom = 8 << 20
	// compactChunk is how many entries are encoded at a time.
	compactChunk = 1000
	// compactTail is how much the last, exclusive step of a compaction may
	// copy, in bytes.
	compactTail = 256 << 10
	// catchUps is how often a compaction copies what was appended meanwhile
	// before it stops the others for the rest.
	catchUps = 8
)

// compact rewrites the journal beside the one in use: most of a long one is of
// messages that are gone. Everything else stops only while the list of messages
// is copied and while the last few bytes are, see BenchmarkCompactionStall. A
// failure leaves the journal as it was.
func (s *Service) compact() {
	err := s.rewrite()
	if err != nil {
		s.o.Log.Warn("the queues' journal was not made shorter", "err", err)
	}

	s.fileMu.Lock()
	// Not before it is twice as long, failed or not, or it would be tried all the time.
	s.compactAt, s.compacting = max(s.compactFrom, 2*s.file.Size()), false
	s.fileMu.Unlock()
}

func (s *Service) rewrite() error {
	// The snapshot and the start of the copy are of one moment: what is appended
	// later is copied byte by byte.
	var c *journal.Compaction
	var parts []snapshotPart
	err := s.exclusively(func() (err error) {
		if parts = s.snapshot(); sizeOf(parts) > s.file.Size()*2/3 {
			return nil // it would not be worth it
		}
		c, err = s.file.StartCompaction()
		return err
	})
	if err != nil || c == nil {
		return err
	}

	for _, p := range parts {
		if err := p.write(c); err != nil {
			return s.abandon(c, err)
		}
	}

	// Others append meanwhile, perhaps faster than this copies: then the last copy is longer.
	for range catchUps {
		s.fileMu.Lock()
		size := s.file.Size()
		s.fileMu.Unlock()

		left, err := c.CatchUp(s.file, size)
		if err != nil {
			return s.abandon(c, err)
		}
		if left < compactTail {
			break
		}
	}
	return s.exclusively(func() error { return c.Finish(s.file) })
}

// snapshotPart is what a snapshot has of one queue, or of none: entries, and
// then the queue's messages, whose journalled fields never change.
type snapshotPart struct {
	entries  []entry
	queue    string
	messages []*message
}

func (p snapshotPart) write(c *journal.Compaction) error {
	if err := c.Append(encode(p.entries...)...); err != nil {
		return err
	}

	for chunk := range slices.Chunk(p.messages, compactChunk) {
		entries := make([]entry, len(chunk))
		for i, m := range chunk {
			entries[i] = entry{Op: opSend, Queue: p.queue, Message: m}
		}

		if err := c.Append(encode(entries...)...); err != nil {
			return err
		}
	}
	return nil
}

// sizeOf returns about how many bytes the messages of a snapshot take.
func sizeOf(parts []snapshotPart) (n int64) {
	for _, p := range parts {
		for _, m := range p.messages {
			n += int64(len(m.Body)) + 100
		}
	}
	return n
}

func (s *Service) abandon(c *journal.Compaction, err error) error {
	if cerr := c.Abandon(); cerr != nil {
		s.o.Log.Warn("the queues' new journal was not removed", "err", cerr)
	}
	return err
}

// snapshot returns the entries that create the queues as they are now. It only
// copies references: everything else waits for it.
func (s *Service) snapshot() []snapshotPart {
	at := now()
	first := []entry{{Op: opVersion, At: version}, {Op: opSequence, At: int64(s.seq.Load())}}
	for name, when := range s.deleted {
		if when+deletedWait > at {
			first = append(first, entry{Op: opGone, Queue: name, At: when})
		}
	}

	out := []snapshotPart{{entries: first}}
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		q := s.queues[name]
		q.expire(at)
		out = append(out, q.snapshot(at))
	}

	// The tasks come after their queues, without which a replay would forget them.
	for _, t := range s.tasks {
		out = append(out, snapshotPart{entries: []entry{t.entry()}})
	}
	return out
}

func (q *queue) snapshot(at int64) snapshotPart {
	p := snapshotPart{queue: q.name, messages: make([]*message, 0, q.arrived.Len()), entries: []entry{
		{Op: opQueue, Queue: q.name, Attributes: q.attributes, At: q.created},
		{Op: opAttributes, Queue: q.name, At: q.modified}, {Op: opPurge, Queue: q.name, At: q.purged},
	}}

	// Ids of deleted messages are among these: they are taken for the rest of their window.
	for _, d := range q.dedup.order {
		if d.Until > at && q.dedup.byKey[d.Key] == d {
			p.entries = append(p.entries, entry{Op: opDedup, Queue: q.name, Dedup: d})
		}
	}

	for e := q.arrived.Front(); e != nil; e = e.Next() {
		m, _ := e.Value.(*message)
		p.messages = append(p.messages, m)
	}
	return p
}
