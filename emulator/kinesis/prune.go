package kinesis

import (
	"errors"
	"slices"
	"time"
)

// prune drops what is out of retention, and the oldest of what is over the cap:
// once in a while, by the put that comes then.
func (s *Service) prune(now time.Time) {
	last, ms := s.pruned.Load(), now.UnixMilli()
	early := ms >= last && ms-last < pruneEvery.Milliseconds() // before last: the clock went back
	// One put of many wins the swap and prunes; the others go on without
	// waiting.
	if early || !s.pruned.CompareAndSwap(last, ms) {
		return
	}

	var errs []error
	var total int64
	for _, st := range s.all() {
		info := st.topology()
		errs = append(errs, st.each(func(sh *shard) error {
			sh.mu.Lock()
			defer sh.mu.Unlock()
			err := sh.log.dropBefore(info.horizon(ms))
			total += sh.log.size()
			return err
		}))

		// Outside each: changing the topology takes the stream's lock alone.
		if slices.ContainsFunc(info.Shards, func(sh shardInfo) bool { return info.expired(sh, ms) }) {
			errs = append(errs, s.change(target{StreamName: info.Name}, func(_ *stream, next *streamInfo) error {
				next.Shards = slices.DeleteFunc(next.Shards, func(sh shardInfo) bool { return next.expired(sh, ms) })
				return nil
			}))
		}
	}

	if s.o.BytesCap > 0 && total > s.o.BytesCap {
		errs = append(errs, s.dropOldest(total-s.o.BytesCap))
	}

	// Logged, not returned: the put's records are stored, and the next prune
	// tries again.
	if err := errors.Join(errs...); err != nil {
		s.o.Log.Warn("old records were not dropped", "err", err)
	}
}

// dropOldest drops whole segments of all shards, the oldest first, until so
// many bytes are gone. A shard's last segment stays.
func (s *Service) dropOldest(over int64) error {
	for over > 0 {
		var oldest *shard
		var since int64
		for _, st := range s.all() {
			_ = st.each(func(sh *shard) error {
				sh.mu.Lock()
				defer sh.mu.Unlock()
				if ms, ok := sh.log.oldest(); ok && (oldest == nil || ms < since) {
					oldest, since = sh, ms
				}
				return nil
			})
		}

		if oldest == nil {
			return nil
		}

		n, err := oldest.drop()
		if err != nil {
			return err
		}
		over -= n
	}
	return nil
}

func (sh *shard) drop() (int64, error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	// Looked at again under the lock: another put may have dropped it since.
	if _, ok := sh.log.oldest(); !ok {
		return 0, nil
	}
	return sh.log.drop()
}
