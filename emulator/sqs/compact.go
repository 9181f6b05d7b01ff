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
	s.compactAt, s.compacting = max(s.compactFrom, 2*s.file.Size()), false
	s.fileMu.Unlock()
}

func (s *Service) rewrite() error {
	var c *journal.Compaction
	var kept []kept
	err := s.alone(func() (err error) {
		if kept = s.snapshot(); sizeOf(kept) > s.file.Size()*2/3 {
			return nil // it would not be worth it
		}
		c, err = s.file.StartCompaction()
		return err
	})
	if err != nil || c == nil {
		return err
	}
	for _, k := range kept {
		if err := k.write(c); err != nil {
			return s.abandon(c, err)
		}
	}
	for range 8 { // the appenders may outrun it; then the last copy is longer
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
	return s.alone(func() error { return c.Finish(s.file) })
}

// kept is what a snapshot holds of one queue, or of none: entries, and then its
// messages, whose journalled part never changes.
type kept struct {
	entries  []entry
	queue    string
	messages []*message
}

func (k kept) write(c *journal.Compaction) error {
	if err := c.Append(encode(k.entries...)...); err != nil {
		return err
	}
	for chunk := range slices.Chunk(k.messages, compactChunk) {
		entries := make([]entry, len(chunk))
		for i, m := range chunk {
			entries[i] = entry{Op: opSend, Queue: k.queue, Message: m}
		}
		if err := c.Append(encode(entries...)...); err != nil {
			return err
		}
	}
	return nil
}

// sizeOf is about how many bytes the messages of a snapshot take.
func sizeOf(all []kept) (n int64) {
	for _, k := range all {
		for _, m := range k.messages {
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

// snapshot gives what makes the queues as they are.
func (s *Service) snapshot() []kept {
	at := now()
	first := []entry{{Op: opVersion, At: version}, {Op: opSequence, At: int64(s.seq.Load())}}
	for name, when := range s.deleted {
		if when+deletedWait > at {
			first = append(first, entry{Op: opGone, Queue: name, At: when})
		}
	}
	out := []kept{{entries: first}}
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		q := s.queues[name]
		q.expire(at)
		k := kept{queue: name, messages: make([]*message, 0, q.arrived.Len()), entries: []entry{
			{Op: opQueue, Queue: name, Attributes: q.attributes, At: q.created},
			{Op: opAttributes, Queue: name, At: q.modified}, {Op: opPurge, Queue: name, At: q.purged},
		}}
		for _, d := range q.dedup.order { // of messages that are gone too
			if d.Until > at && q.dedup.byKey[d.Key] == d {
				k.entries = append(k.entries, entry{Op: opDedup, Queue: name, Dedup: d})
			}
		}
		for e := q.arrived.Front(); e != nil; e = e.Next() {
			m, _ := e.Value.(*message)
			k.messages = append(k.messages, m)
		}
		out = append(out, k)
	}
	for _, t := range s.tasks { // after the queues that they are of
		out = append(out, kept{entries: []entry{t.entry()}})
	}
	return out
}
