package sqs

const dedupWindow = 5 * 60 * 1000 // ms

// dedup remembers a FIFO queue's deduplication ids until they may be used
// again.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
type dedup struct {
	byKey map[string]*dedupEntry
	order []*dedupEntry // as they were put
}

// dedupEntry is the message that a deduplication id stands for. Key is the id,
// with the group before it where the queue deduplicates by group.
type dedupEntry struct {
	Key, ID string
	Seq     uint64
	Until   int64 // ms
}

// put remembers an entry, and forgets those whose time is over.
func (d *dedup) put(e dedupEntry, now int64) {
	for len(d.order) > 0 && d.order[0].Until <= now {
		// The key may have been put again since: then the later entry stays.
		if old := d.order[0]; d.byKey[old.Key] == old {
			delete(d.byKey, old.Key)
		}
		d.order = d.order[1:]
	}

	if d.byKey == nil {
		d.byKey = map[string]*dedupEntry{}
	}
	d.byKey[e.Key], d.order = &e, append(d.order, &e)
}

func (d *dedup) get(key string, now int64) (e dedupEntry, ok bool) {
	if e := d.byKey[key]; e != nil && e.Until > now {
		return *e, true
	}
	return e, false
}

// entryOf returns what the queue remembers of a message.
func (q *queue) entryOf(m *message) dedupEntry {
	e := dedupEntry{m.Dedup, m.ID, m.Seq, m.Arrived + dedupWindow}
	if q.set.dedupByGroup {
		e.Key = m.Group + "\x00" + m.Dedup
	}
	return e
}

// remember keeps a FIFO message's deduplication id until its window is over.
func (q *queue) remember(e dedupEntry, now int64) {
	if q.fifo && e.Until > now {
		q.dedup.put(e, now)
	}
}
