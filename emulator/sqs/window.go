package sqs

// window keeps what keys stand for until their time; what is over goes when
// something is put.
type window[V any] struct {
	byKey map[string]*lasting[V]
	order []*lasting[V] // as they were put
}

type lasting[V any] struct {
	key   string
	until int64 // ms
	value V
}

func (w *window[V]) put(key string, v V, until, now int64) {
	for len(w.order) > 0 && w.order[0].until <= now {
		if old := w.order[0]; w.byKey[old.key] == old {
			delete(w.byKey, old.key)
		}
		w.order = w.order[1:]
	}
	if w.byKey == nil {
		w.byKey = map[string]*lasting[V]{}
	}
	l := &lasting[V]{key, until, v}
	w.byKey[key], w.order = l, append(w.order, l)
}

func (w *window[V]) get(key string, now int64) (v V, ok bool) {
	if l := w.byKey[key]; l != nil && l.until > now {
		return l.value, true
	}
	return v, false
}

// dedupEntry is what a deduplication id stood for, until it may be used again.
type dedupEntry struct {
	Key, ID string
	Seq     uint64
	Until   int64 // ms
}

// remember keeps a FIFO message's deduplication id for five minutes.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
func (q *queue) remember(e dedupEntry, now int64) {
	if q.fifo && e.Until > now {
		q.dedup.put(e.Key, e, e.Until, now)
	}
}

func (q *queue) dedupOf(m *message) dedupEntry {
	e := dedupEntry{m.Dedup, m.ID, m.Seq, m.Arrived + dedupWindow}
	if q.set.dedupByGroup {
		e.Key = m.Group + "\x00" + m.Dedup
	}
	return e
}

// attempt is what a ReceiveRequestAttemptId was given.
type attempt struct {
	visibleAt int64 // ms
	messages  []*message
	receives  []int
}

// given notes what a ReceiveRequestAttemptId got: on a FIFO queue a retry within
// five minutes gets the same, as long as nothing of it was touched.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-receiverequestattemptid-request-parameter.html
func (q *queue) given(id string, messages []*message, at, until int64) {
	if !q.fifo || id == "" || len(messages) == 0 {
		return
	}
	a := &attempt{visibleAt: until, messages: messages}
	for _, m := range messages {
		a.receives = append(a.receives, m.receives)
	}
	q.attempts.put(id, a, at+attemptWindow, at)
}

func (q *queue) again(id string, at, until int64) []*message {
	a, ok := q.attempts.get(id, at)
	if !ok {
		return nil
	}
	for i, m := range a.messages {
		if m.gone || !m.inFlight || m.receives != a.receives[i] || m.visibleAt != a.visibleAt {
			delete(q.attempts.byKey, id)
			return nil
		}
	}
	for _, m := range a.messages {
		q.setVisible(m, until, at)
	}
	a.visibleAt = until
	return a.messages
}
