package sqs

import (
	"fmt"
	"maps"

	"tandem/emulator/journal"
)

// load opens the journal and applies its entries.
func (s *Service) load() error {
	first, at := true, now()
	f, err := journal.Open(s.o.Path, s.o.Fsync, func(_ int64, payload []byte) error {
		return decode(payload, func(e entry) error {
			// The first entry names the version, so nothing of another one is applied.
			if first {
				first = false
				if e.Op != opVersion || e.At != version {
					return fmt.Errorf("%w (it is %d, this is %d)", errEntry, e.At, version)
				}
				return nil
			}

			return s.replay(e, at)
		})
	})
	if err != nil {
		return fmt.Errorf("sqs: %w", err)
	}
	s.file = f

	switch lost := f.Lost(); {
	case lost.Damaged:
		s.o.Log.Error("the queues' journal is damaged: what was acknowledged after this place is lost; the bytes are kept beside it",
			"journal", s.o.Path, "at", lost.At, "bytes", lost.Bytes, "kept", s.o.Path+".damaged")
	case lost.Bytes > 0:
		s.o.Log.Warn("the queues' journal ended in a torn write, which was cut off", "journal", s.o.Path, "at", lost.At, "bytes", lost.Bytes)
	}

	s.compactAt = max(s.compactFrom, f.Size())
	if first { // the file is new
		return s.write(entry{Op: opVersion, At: version})
	}
	return nil
}

// replay applies an entry of the journal. The operations journal an entry first,
// and then apply it in the same way, so that a restart comes to the same state.
func (s *Service) replay(e entry, at int64) error {
	switch e.Op {
	case opQueue:
		if s.queues[e.Queue] != nil {
			return fmt.Errorf("%w: queue %q is created twice", errEntry, e.Queue)
		}

		s.queues[e.Queue] = newQueue(e.Queue, e.Attributes, e.At, s.o.Seed)
		return nil
	case opSequence:
		s.seq.Store(max(s.seq.Load(), uint64(e.At)))
		return nil
	case opGone:
		s.deleted[e.Queue] = e.At
		return nil
	case opTask:
		if e.Task == nil {
			return fmt.Errorf("%w: a move task is empty", errEntry)
		}

		s.addTask(e.Task)
		return nil
	}

	q := s.queues[e.Queue]
	if q == nil || (e.Op == opSend || e.Op == opMove) && e.Message == nil || e.Op == opDedup && e.Dedup == nil {
		return fmt.Errorf("%w: operation %d of queue %q cannot be applied", errEntry, e.Op, e.Queue)
	}

	// What is sent after the restart comes after it.
	if e.Message != nil {
		s.seq.Store(max(s.seq.Load(), e.Message.Seq))
	}
	return s.replayOn(q, e, at)
}

func (s *Service) replayOn(q *queue, e entry, at int64) error {
	switch e.Op {
	case opAttributes:
		q.apply(e.Attributes, e.At)
	case opDeleteQueue:
		// Names whose wait is over are forgotten here, so that the map stays small.
		delete(s.queues, e.Queue)
		maps.DeleteFunc(s.deleted, func(_ string, when int64) bool { return when+deletedWait <= at })
		s.deleted[e.Queue] = e.At
	case opSend:
		if q.byID[e.Message.ID] != nil {
			return fmt.Errorf("%w: message %s of queue %q is sent twice", errEntry, e.Message.ID, e.Queue)
		}

		q.remember(q.entryOf(e.Message), at)
		q.add(e.Message, at)
	case opDelete:
		for _, id := range e.IDs {
			// It may have been too old by then, and removed already.
			if m := q.byID[id]; m != nil {
				q.remove(m, at)
			}
		}
	case opPurge:
		q.clear(at)
		q.purged = e.At
	case opMove:
		m, to := q.byID[e.ID], s.queues[e.To]
		if m == nil || to == nil || to != q && to.byID[e.Message.ID] != nil {
			return fmt.Errorf("%w: there is no message %s to move from %s to %s", errEntry, e.ID, e.Queue, e.To)
		}

		q.remove(m, at)
		to.add(e.Message, at)
		s.countMoved(q.arn, e.Message)
	case opDedup:
		q.remember(*e.Dedup, at)
	default:
		return fmt.Errorf("%w: operation %d", errEntry, e.Op)
	}
	return nil
}
