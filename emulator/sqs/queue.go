package sqs

import (
	"container/list"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// queue is one queue's state. All times are in ms since 1970.
type queue struct {
	mu         sync.Mutex
	name, arn  string
	fifo       bool
	attributes map[string]string // as they were set
	set        settings          // what they mean
	created    int64
	modified   int64
	purged     int64

	byID     map[string]*message
	arrived  list.List    // all messages, in the order of their arrival
	visible  *messageHeap // standard: the visible messages; FIFO: the first of each free group, if visible
	hidden   *messageHeap // in flight, and delayed (FIFO: delayed ones only if first of their group)
	groups   map[string]*group
	inFlight int

	dedup      dedup
	duplicates []*message    // deleted messages that may be delivered once more
	changed    chan struct{} // closed when a message may have become visible; nil: nobody waits
	oldest     int64         // no message was sent before
	swept      int64         // when expire last looked at all messages
	rng        *rand.Rand
	run        int64 // tells this run's receipt handles from an earlier run's
	rates      rates
}

// group is a FIFO queue's messages of one MessageGroupId, in order. While one
// of them is in flight none of the others is handed out: the group is not free.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
type group struct {
	messages list.List
	inFlight int
}

func newQueue(name string, attributes map[string]string, at int64, seed uint64) *queue {
	// The name is part of the seed, so that the queues differ in their disorder.
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails

	q := &queue{
		name: name, arn: arnPrefix + name, fifo: strings.HasSuffix(name, ".fifo"), created: at,
		byID: map[string]*message{}, visible: bySeq(), hidden: byTime(), groups: map[string]*group{},
		rng: rand.New(rand.NewPCG(seed, h.Sum64())), run: time.Now().UnixNano(),
	}
	q.apply(attributes, at)
	return q
}

// signal wakes the receives that wait for a message.
func (q *queue) signal() {
	if q.changed != nil {
		close(q.changed)
		q.changed = nil
	}
}

// wait returns a channel that the next signal closes.
func (q *queue) wait() <-chan struct{} {
	if q.changed == nil {
		q.changed = make(chan struct{})
	}
	return q.changed
}

// add takes a message that was journalled.
func (q *queue) add(m *message, now int64) {
	q.byID[m.ID] = m
	m.inQueue = q.arrived.PushBack(m)

	// A dead letter keeps the time of its first send, so it may be the oldest.
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

// remove forgets a message, in flight or not.
func (q *queue) remove(m *message, now int64) {
	delete(q.byID, m.ID)
	q.arrived.Remove(m.inQueue)
	if m.heap != nil {
		m.heap.remove(m)
	}
	if m.inFlight {
		q.endInFlight(m)
	}
	if !q.fifo {
		return
	}

	g := q.groups[m.Group]
	g.messages.Remove(m.inGroup)
	if g.messages.Len() == 0 {
		delete(q.groups, m.Group)
		return
	}

	// The group may be free now, and somebody may wait for its next message.
	q.placeFirst(g, now)
	q.signal()
}

// clear removes all messages, and what might have been delivered once more.
func (q *queue) clear(now int64) {
	for q.arrived.Len() > 0 {
		m, _ := q.arrived.Front().Value.(*message)
		q.remove(m, now)
	}
	q.duplicates = nil
}

// choose returns what to hand out next: of a standard queue one message, mostly
// the oldest; of a FIFO queue as many of one group as may go together. They
// stay where they are until they are put in flight or removed.
func (q *queue) choose(n int, now int64, reorder float64) []*message {
	first := q.visible.first()
	if first == nil {
		return nil
	}

	if !q.fifo {
		// SQS promises no order: a client that relies on one is to notice.
		if l := q.visible.Len(); l > 1 && reorder > 0 && q.rng.Float64() < reorder {
			first = q.visible.messages[q.rng.IntN(l)]
		}
		return []*message{first}
	}

	out := []*message{first}
	for e := first.inGroup.Next(); e != nil && len(out) < n; e = e.Next() {
		m, _ := e.Value.(*message)
		if q.due(m) > now {
			// Those behind it would overtake it.
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
	// All messages are looked at only when one is too old, and at most once a second.
	if q.oldest == 0 || !q.expired(q.oldest, now) || now-q.swept < sweepEvery {
		return
	}
	q.swept, q.oldest = now, 0

	for e := q.arrived.Front(); e != nil; {
		m, _ := e.Value.(*message)
		e = e.Next() // before m is removed

		if q.expired(m.Sent, now) {
			q.remove(m, now)
		} else if q.oldest == 0 || m.Sent < q.oldest {
			q.oldest = m.Sent
		}
	}
}

func (q *queue) expired(sent, now int64) bool { return sent+q.set.retention*1000 <= now }

// counts returns the queue's approximate numbers.
func (q *queue) counts(now int64) (visible, inFlight, delayed int) {
	q.expire(now)
	q.makeVisible(now)

	delayed = q.hidden.Len() - q.inFlight

	// hidden has only the first message of each group, so delayed ones are looked up.
	if q.fifo {
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
