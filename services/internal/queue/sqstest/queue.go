package sqstest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const fifoSuffix = ".fifo"

// Settings are a queue's. Zero values are SQS's defaults.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
type Settings struct {
	Visibility  time.Duration // of a message whose receive names none; 0: 30 s
	Delay       time.Duration // of a message whose send names none
	Wait        time.Duration // of a receive that names none: long polling
	Retention   time.Duration // how long a message is kept; 0: 4 days
	MaximumSize int           // of a message, in bytes; 0: 1 MiB
	// DeadLetterQueue is the name of the queue that a message moves to after MaxReceives
	// receives: the redrive policy. Where there is no such queue, it is created.
	DeadLetterQueue string
	MaxReceives     int
	// ContentDeduplication takes the body for the deduplication id of a FIFO message
	// that has none.
	ContentDeduplication bool
}

// Queue is one queue. Its methods are for tests: they bypass the faults, and Calls does
// not have them.
type Queue struct {
	f    *SQS
	name string
	fifo bool
	set  Settings

	messages []*message          // in the order in which they were sent
	receipts map[string]*message // of deleted messages too
	gone     []*message          // deleted, moved or expired
	repeats  map[string]repeat   // by deduplication id
	waiting  map[chan struct{}]struct{}
}

// Queue creates a queue, or changes the settings of the one that has this name. With
// .fifo at its end the queue is a FIFO queue. It panics for a redrive policy that SQS
// would refuse.
func (f *SQS) Queue(name string, s Settings) *Queue {
	f.mu.Lock()
	defer f.mu.Unlock()

	policy := s.DeadLetterQueue != ""
	if policy && (s.MaxReceives < 1 || s.MaxReceives > 1000) {
		panic(fmt.Sprintf("sqstest: queue %s: MaxReceives is %d; allowed is 1 to 1000", name, s.MaxReceives))
	}
	if policy && strings.HasSuffix(name, fifoSuffix) != strings.HasSuffix(s.DeadLetterQueue, fifoSuffix) {
		panic(fmt.Sprintf("sqstest: queue %s: its dead-letter queue %s is of the other kind", name, s.DeadLetterQueue))
	}

	if s.DeadLetterQueue != "" && f.queues[s.DeadLetterQueue] == nil {
		f.create(s.DeadLetterQueue)
	}
	q := f.create(name)
	q.set = s
	q.changed()
	return q
}

func (f *SQS) create(name string) *Queue {
	if f.queues[name] == nil {
		f.queues[name] = &Queue{
			f: f, name: name, fifo: strings.HasSuffix(name, fifoSuffix),
			receipts: map[string]*message{}, repeats: map[string]repeat{}, waiting: map[chan struct{}]struct{}{},
		}
	}
	return f.queues[name]
}

// URL is what the queue's operations are called with.
func (q *Queue) URL() string { return base + q.name }

// Send puts messages on a standard queue, in this order.
func (q *Queue) Send(bodies ...string) { q.SendTo("", bodies...) }

// SendTo puts messages of one group on the queue, in this order, and each of them with a
// deduplication id of its own where it is a FIFO queue. A message with attributes, a
// delay or an id is for SQS.SendMessage. It panics where SQS would refuse the message.
func (q *Queue) SendTo(group string, bodies ...string) {
	q.f.mu.Lock()
	defer q.f.mu.Unlock()
	for _, body := range bodies {
		in := entry{body: body, group: group}
		if q.fifo {
			in.deduplication = fmt.Sprint("sqstest-", q.f.messages)
		}
		if _, err := q.take(in, time.Now()); err != nil {
			panic(fmt.Sprintf("sqstest: queue %s refuses %q: %v", q.name, body, err))
		}
	}
}

// Repeat has a standard queue deliver a message again, as SQS may: a copy of the newest
// message with that body, which may be in flight or deleted. It panics for a FIFO
// queue, which delivers nothing twice, and if there was no such message.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html
func (q *Queue) Repeat(body string) {
	q.f.mu.Lock()
	defer q.f.mu.Unlock()
	if q.fifo {
		panic(fmt.Sprintf("sqstest: %s is a FIFO queue: it delivers no message twice", q.name))
	}
	for _, m := range slices.Backward(slices.Concat(q.gone, q.messages)) {
		if m.Body == body {
			again := *m
			again.receipt, again.due, again.until, again.removed = "", time.Time{}, time.Time{}, false
			q.messages = append(q.messages, &again)
			q.changed()
			return
		}
	}
	panic(fmt.Sprintf("sqstest: queue %s has had no message %q", q.name, body))
}

// Purge deletes all messages and returns their bodies, in the order in which they were
// sent.
func (q *Queue) Purge() []string {
	q.f.mu.Lock()
	defer q.f.mu.Unlock()
	var bodies []string
	for _, m := range slices.Clone(q.messages) {
		bodies = append(bodies, m.Body)
		q.remove(m)
	}
	return bodies
}

// Delete deletes the queue. Receives that wait on it fail.
func (q *Queue) Delete() {
	q.f.mu.Lock()
	defer q.f.mu.Unlock()
	if q.f.queues[q.name] == q {
		delete(q.f.queues, q.name)
	}
	q.changed()
}

// Visible returns the bodies of the messages that a receive would return or, of a FIFO
// queue, that wait behind their group's first one.
func (q *Queue) Visible() []string { return q.in(Visible) }

// InFlight returns the bodies of the messages that were received and not deleted, and
// whose visibility has not ended.
func (q *Queue) InFlight() []string { return q.in(InFlight) }

// Delayed returns the bodies of the messages whose delay has not ended.
func (q *Queue) Delayed() []string { return q.in(Delayed) }

func (q *Queue) in(s State) []string {
	var bodies []string
	for _, m := range q.Messages() {
		if m.State == s {
			bodies = append(bodies, m.Body)
		}
	}
	return bodies
}

// Len is how many messages the queue has, whatever their state.
func (q *Queue) Len() int { return len(q.Messages()) }

// Dead returns the messages of the queue's dead-letter queue.
func (q *Queue) Dead() []Message {
	q.f.mu.Lock()
	dead := q.f.queues[q.set.DeadLetterQueue]
	q.f.mu.Unlock()
	if dead == nil {
		return nil
	}
	return dead.Messages()
}

// Messages returns what the queue has, in the order in which it was sent.
func (q *Queue) Messages() []Message {
	q.f.mu.Lock()
	defer q.f.mu.Unlock()
	now := time.Now()
	q.expire(now)
	var out []Message
	for _, m := range q.messages {
		shown := m.Message
		shown.State, shown.HiddenUntil = m.state(now), m.hiddenUntil(now)
		out = append(out, shown)
	}
	return out
}

// changed wakes the receives that wait on this queue: each looks again.
func (q *Queue) changed() {
	for w := range q.waiting {
		select {
		case w <- struct{}{}:
		default: // it is told already
		}
	}
}

// remove takes a message from the queue.
func (q *Queue) remove(m *message) {
	if i := slices.Index(q.messages, m); i >= 0 {
		q.messages = slices.Delete(q.messages, i, i+1)
		q.gone = append(q.gone, m)
		m.removed = true
		q.changed() // its group may go on
	}
}

// expire removes what the queue has kept for its time.
func (q *Queue) expire(now time.Time) {
	for _, m := range slices.Clone(q.messages) {
		if !now.Before(m.SentAt.Add(q.set.retention())) {
			q.remove(m)
		}
	}
}
