package sqs

// dedupEntry is what a deduplication id stood for, until it may be used again.
type dedupEntry struct {
	Key, ID string
	Seq     uint64
	Until   int64 // ms
}

// remember keeps a FIFO message's deduplication id for five minutes.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
func (q *queue) remember(e dedupEntry, now int64) {
	for len(q.dedupOrder) > 0 && q.dedupOrder[0].Until <= now {
		if old := q.dedupOrder[0]; q.dedup[old.Key] == old {
			delete(q.dedup, old.Key)
		}
		q.dedupOrder = q.dedupOrder[1:]
	}
	if e.Until > now && q.dedup[e.Key] != e {
		q.dedup[e.Key] = e
		q.dedupOrder = append(q.dedupOrder, e)
	}
}

func (q *queue) forget(e dedupEntry) {
	if q.dedup[e.Key] == e {
		delete(q.dedup, e.Key)
	}
}

func (q *queue) dedupOf(m *message) dedupEntry {
	e := dedupEntry{m.Dedup, m.ID, m.Seq, m.Arrived + dedupWindow}
	if q.set.dedupByGroup {
		e.Key = m.Group + "\x00" + m.Dedup
	}
	return e
}
