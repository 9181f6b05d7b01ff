package sqs

import (
	"container/heap"
	"container/list"
	"math/rand/v2"
	"time"
)

// message is one message of a queue.
type message struct {
	ID         string               `json:"id"`
	Body       string               `json:"body"`
	Attributes map[string]attribute `json:"attributes,omitempty"`
	Group      string               `json:"group,omitempty"`
	Dedup      string               `json:"dedup,omitempty"`
	Trace      string               `json:"trace,omitempty"`
	Sent       int64                `json:"sent"` // ms; a standard dead-letter queue keeps it
	Seq        uint64               `json:"seq"`
	VisibleAt  int64                `json:"visible_at"`       // ms: its delay; later, its visibility timeout
	Source     string               `json:"source,omitempty"` // ARN of the queue that it died on

	receives      int
	firstReceived int64
	inFlight      bool
	deleted       bool
	element       *list.Element // FIFO: its place in the queue
	index         int           // in whichever heap holds it
}

type attribute struct {
	DataType    string `json:"DataType"`
	StringValue string `json:"StringValue,omitempty"`
	BinaryValue []byte `json:"BinaryValue,omitempty"`
}

// queue is one queue's state; the service's lock guards it.
type queue struct {
	name, arn  string
	attributes map[string]string
	created    int64
	byID       map[string]*message
	ready      seqHeap // standard: visible now
	timed      dueHeap // standard: delayed or in flight
	fifo       *list.List
	dedup      map[string]dedupEntry
	ghosts     []*message // deleted messages that may show once more
	changed    chan struct{}
	purgedAt   time.Time
	expiredAt  int64 // ms
	rng        *rand.Rand
	run        int64 // tells this run's receipt handles from an earlier one's
	inFlight   int
}

// expireEvery is in ms.
const expireEvery = 60_000

// dedupEntry is what a deduplication id stood for, until it may be used again.
type dedupEntry struct {
	Key   string `json:"key"`
	ID    string `json:"id"`
	Seq   uint64 `json:"seq"`
	Until int64  `json:"until"`
}

func (q *queue) isFIFO() bool { return q.fifo != nil }

// signal wakes those who wait for a message.
func (q *queue) signal() {
	close(q.changed)
	q.changed = make(chan struct{})
}

func (q *queue) add(m *message, now int64) {
	q.byID[m.ID] = m
	switch {
	case q.isFIFO():
		m.element = q.fifo.PushBack(m)
	case m.VisibleAt > now:
		heap.Push(&q.timed, m)
	default:
		heap.Push(&q.ready, m)
	}
	q.signal()
}

func (q *queue) remove(m *message) {
	delete(q.byID, m.ID)
	m.deleted = true
	if m.inFlight {
		q.inFlight--
	}
	switch {
	case q.isFIFO():
		q.fifo.Remove(m.element)
		q.signal() // its group may go on
	case m.index >= 0 && m.index < len(q.ready) && q.ready[m.index] == m:
		heap.Remove(&q.ready, m.index)
	case m.index >= 0 && m.index < len(q.timed) && q.timed[m.index] == m:
		heap.Remove(&q.timed, m.index)
	}
}

// ripen makes visible what is due.
func (q *queue) ripen(now int64) {
	for len(q.timed) > 0 && q.timed[0].VisibleAt <= now {
		m, _ := heap.Pop(&q.timed).(*message)
		q.land(m)
		heap.Push(&q.ready, m)
	}
	if q.isFIFO() {
		for e := q.fifo.Front(); e != nil; e = e.Next() {
			if m, _ := e.Value.(*message); m.inFlight && m.VisibleAt <= now {
				q.land(m)
			}
		}
	}
}

func (q *queue) land(m *message) {
	if m.inFlight {
		m.inFlight = false
		q.inFlight--
	}
}

// nextDue is when the next message becomes visible by itself, 0 for never. A
// visible one that waits for its group is woken by a delete, not by time.
func (q *queue) nextDue(now int64) int64 {
	if len(q.timed) > 0 {
		return q.timed[0].VisibleAt
	}
	due := int64(0)
	if q.isFIFO() {
		for e := q.fifo.Front(); e != nil; e = e.Next() {
			if m, _ := e.Value.(*message); m.VisibleAt > now && (due == 0 || m.VisibleAt < due) {
				due = m.VisibleAt
			}
		}
	}
	return due
}

// pick chooses messages that have become visible (ripen) to hand out, at most n.
func (q *queue) pick(n int, now int64, reorder float64) []*message {
	if q.isFIFO() {
		return q.pickFIFO(n, now)
	}
	var out []*message
	for len(out) < n && len(q.ready) > 0 {
		i := 0
		if len(q.ready) > 1 && q.rng.Float64() < reorder {
			i = q.rng.IntN(len(q.ready))
		}
		m, _ := heap.Remove(&q.ready, i).(*message)
		out = append(out, m)
	}
	return out
}

func (q *queue) pickFIFO(n int, now int64) []*message {
	var out []*message
	blocked := map[string]bool{}
	for e := q.fifo.Front(); e != nil; e = e.Next() {
		if m, _ := e.Value.(*message); m.inFlight {
			blocked[m.Group] = true
		}
	}
	for e := q.fifo.Front(); e != nil && len(out) < n; e = e.Next() {
		m, _ := e.Value.(*message)
		if blocked[m.Group] {
			continue
		}
		if m.VisibleAt > now {
			blocked[m.Group] = true // delayed: those behind it wait too
			continue
		}
		out = append(out, m)
	}
	return out
}

// fly puts a message in flight until at.
func (q *queue) fly(m *message, at int64) {
	m.inFlight = true
	m.VisibleAt = at
	q.inFlight++
	if !q.isFIFO() {
		heap.Push(&q.timed, m)
	}
}

// setVisible changes when a message in flight is seen again.
func (q *queue) setVisible(m *message, at, now int64) {
	sooner := at < m.VisibleAt
	m.VisibleAt = at
	if !q.isFIFO() {
		heap.Fix(&q.timed, m.index)
	}
	if sooner { // a heartbeat wakes nobody
		q.ripen(now)
		q.signal()
	}
}

// expire removes what is older than the queue keeps, at most once a minute; a
// receive looks by itself. Nothing is journalled: after a restart the same
// messages are as old.
func (q *queue) expire(now int64) {
	if now-q.expiredAt < expireEvery {
		return
	}
	q.expiredAt = now
	for _, m := range q.byID {
		if q.expired(m, now) {
			q.remove(m)
		}
	}
}

func (q *queue) expired(m *message, now int64) bool {
	return m.Sent+q.number("MessageRetentionPeriod")*1000 < now
}

// counts gives the queue's approximate numbers.
func (q *queue) counts(now int64) (visible, inFlight, delayed int) {
	q.expire(now)
	q.ripen(now)
	if q.isFIFO() {
		for e := q.fifo.Front(); e != nil; e = e.Next() {
			switch m, _ := e.Value.(*message); {
			case m.inFlight:
			case m.VisibleAt > now:
				delayed++
			default:
				visible++
			}
		}
		return visible, q.inFlight, delayed
	}
	return len(q.ready), q.inFlight, len(q.timed) - q.inFlight
}

type seqHeap []*message

func (h seqHeap) Len() int           { return len(h) }
func (h seqHeap) Less(i, j int) bool { return h[i].Seq < h[j].Seq }
func (h seqHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].index, h[j].index = i, j }
func (h *seqHeap) Push(x any)        { m, _ := x.(*message); m.index = len(*h); *h = append(*h, m) }
func (h *seqHeap) Pop() any          { return pop((*[]*message)(h)) }

type dueHeap []*message

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].VisibleAt < h[j].VisibleAt }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].index, h[j].index = i, j }
func (h *dueHeap) Push(x any)        { m, _ := x.(*message); m.index = len(*h); *h = append(*h, m) }
func (h *dueHeap) Pop() any          { return pop((*[]*message)(h)) }

func pop(h *[]*message) *message {
	last := len(*h) - 1
	m := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	m.index = -1
	return m
}
