package sqs

import (
	"container/list"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// queue is one queue's state.
type queue struct {
	mu         sync.Mutex
	name, arn  string
	fifo       bool
	attributes map[string]string // as they were set
	set        settings          // what they mean
	created    int64             // ms
	modified   int64
	purged     int64

	byID     map[string]*message
	arrived  list.List // all of them, as they came
	ready    *pile     // standard: visible; FIFO: the first of each group that is free and visible
	timed    *pile     // in flight, and delayed (FIFO: the first of each group)
	groups   map[string]*group
	inFlight int

	dedup   dedup
	ghosts  []*message    // deleted, but may show once more
	changed chan struct{} // somebody waits; nil: nobody
	oldest  int64         // ms; no message was sent before
	swept   int64         // ms
	rng     *rand.Rand
	run     int64 // tells this run's receipt handles from an earlier one's
	rates   rates
}

// group is a FIFO queue's messages of one MessageGroupId, in order. While one
// of them is in flight none of the others is handed out.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
type group struct {
	messages list.List
	inFlight int
}

func newQueue(name string, attributes map[string]string, at int64, seed uint64) *queue {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	q := &queue{
		name: name, arn: arnPrefix + name, fifo: strings.HasSuffix(name, ".fifo"), created: at,
		byID: map[string]*message{}, ready: bySeq(), timed: byTime(), groups: map[string]*group{},
		rng: rand.New(rand.NewPCG(seed, h.Sum64())), run: time.Now().UnixNano(),
	}
	q.apply(attributes, at)
	return q
}

// signal wakes those who wait for a message.
func (q *queue) signal() {
	if q.changed != nil {
		close(q.changed)
		q.changed = nil
	}
}

func (q *queue) wait() <-chan struct{} {
	if q.changed == nil {
		q.changed = make(chan struct{})
	}
	return q.changed
}

// due is when a message's delay ends.
func (q *queue) due(m *message) int64 {
	if m.Due == queueDelay {
		return m.Arrived + q.set.delay*1000
	}
	return m.Due
}

func (q *queue) add(m *message, now int64) {
	q.byID[m.ID] = m
	m.inQueue = q.arrived.PushBack(m)
	if q.oldest == 0 || m.Sent < q.oldest {
		q.oldest = m.Sent
	}
	if !q.fifo {
		q.place(m, now)
	} else {
		g := q.groups[m.Group]
		if g == nil {
			g = &group{}
			q.groups[m.Group] = g
		}
		m.inGroup = g.messages.PushBack(m)
		q.placeFirst(g, now)
	}
	q.signal()
}

// place puts a message that is not in flight among the visible or the delayed.
func (q *queue) place(m *message, now int64) {
	if due := q.due(m); due > now {
		m.visibleAt = due
		q.timed.add(m)
		return
	}
	q.ready.add(m)
}

// placeFirst places the first message of a group that is free.
func (q *queue) placeFirst(g *group, now int64) {
	if g.inFlight > 0 || g.messages.Len() == 0 {
		return
	}
	if m, _ := g.messages.Front().Value.(*message); m.pile == nil {
		q.place(m, now)
	}
}

func (q *queue) remove(m *message, now int64) {
	delete(q.byID, m.ID)
	q.arrived.Remove(m.inQueue)
	if m.pile != nil {
		m.pile.remove(m)
	}
	g := q.groups[m.Group]
	if m.inFlight {
		q.land(m)
	}
	if !q.fifo {
		return
	}
	g.messages.Remove(m.inGroup)
	if g.messages.Len() == 0 {
		delete(q.groups, m.Group)
		return
	}
	q.placeFirst(g, now)
	q.signal() // its group may go on
}

func (q *queue) clear(now int64) {
	for q.arrived.Len() > 0 {
		m, _ := q.arrived.Front().Value.(*message)
		q.remove(m, now)
	}
	q.ghosts = nil
}

// fly puts a message in flight until at.
func (q *queue) fly(m *message, at int64) {
	if m.pile != nil {
		m.pile.remove(m)
	}
	m.inFlight, m.visibleAt = true, at
	q.inFlight++
	if q.fifo {
		q.groups[m.Group].inFlight++
	}
	q.timed.add(m)
}

func (q *queue) land(m *message) {
	m.inFlight = false
	q.inFlight--
	if q.fifo {
		q.groups[m.Group].inFlight--
	}
}

// makeVisible makes visible what is due.
func (q *queue) makeVisible(now int64) {
	for m := q.timed.first(); m != nil && m.visibleAt <= now; m = q.timed.first() {
		q.timed.remove(m)
		if m.inFlight {
			q.land(m)
		}
		if q.fifo {
			q.placeFirst(q.groups[m.Group], now)
		} else {
			q.ready.add(m)
		}
	}
}

// refile places everything that is not in flight again: the delay was changed.
func (q *queue) refile(now int64) {
	for _, g := range q.groups {
		if m, _ := g.messages.Front().Value.(*message); !m.inFlight && m.pile != nil {
			m.pile.remove(m)
		}
		q.placeFirst(g, now)
	}
	q.signal()
}

// setVisible changes when a message in flight is seen again.
func (q *queue) setVisible(m *message, at, now int64) {
	sooner := at < m.visibleAt
	m.visibleAt = at
	q.timed.moved(m)
	if sooner { // a heartbeat wakes nobody
		q.makeVisible(now)
		q.signal()
	}
}

// take chooses what to hand out next: of a standard queue one message, mostly
// the oldest; of a FIFO queue as many of one group as may go together. They
// stay where they are until they fly or are removed.
func (q *queue) take(n int, now int64, reorder float64) []*message {
	first := q.ready.first()
	if first == nil {
		return nil
	}
	if !q.fifo {
		if l := q.ready.Len(); l > 1 && reorder > 0 && q.rng.Float64() < reorder {
			first = q.ready.messages[q.rng.IntN(l)]
		}
		return []*message{first}
	}
	out := []*message{first}
	for e := first.inGroup.Next(); e != nil && len(out) < n; e = e.Next() {
		m, _ := e.Value.(*message)
		if q.due(m) > now {
			break
		}
		out = append(out, m)
	}
	return out
}

// sweepEvery is in ms.
const sweepEvery = 1000

// expire removes what is older than the queue keeps; a receive looks by itself.
// Nothing is journalled: after a restart the same messages are as old.
func (q *queue) expire(now int64) {
	if q.oldest == 0 || !q.old(q.oldest, now) || now-q.swept < sweepEvery {
		return
	}
	q.swept, q.oldest = now, 0
	for e := q.arrived.Front(); e != nil; {
		m, _ := e.Value.(*message)
		e = e.Next()
		if q.old(m.Sent, now) {
			q.remove(m, now)
		} else if q.oldest == 0 || m.Sent < q.oldest {
			q.oldest = m.Sent
		}
	}
}

func (q *queue) old(sent, now int64) bool { return sent+q.set.retention*1000 <= now }

// counts gives the queue's approximate numbers.
func (q *queue) counts(now int64) (visible, inFlight, delayed int) {
	q.expire(now)
	q.makeVisible(now)
	delayed = q.timed.Len() - q.inFlight
	if q.fifo { // timed has only the first of each group
		delayed = 0
		for e := q.arrived.Back(); e != nil; e = e.Prev() {
			m, _ := e.Value.(*message)
			if m.Arrived+q.set.delay*1000 <= now {
				break // those before it came earlier
			}
			if q.due(m) > now {
				delayed++
			}
		}
	}
	return q.arrived.Len() - q.inFlight - delayed, q.inFlight, delayed
}
