package sqs

import (
	"maps"
	"slices"
)

// Look is one queue as the console shows it.
type Look struct {
	Name     string `json:"name"`
	Visible  int    `json:"visible"`
	InFlight int    `json:"in_flight"`
	Delayed  int    `json:"delayed"`
	// OldestAge is how long the oldest message has been in this queue, in ms.
	OldestAge     int64         `json:"oldest_age_ms"`
	Rates         Rates         `json:"per_second"`
	EmptyReceives int64         `json:"empty_receives"` // ever
	Duplicates    int64         `json:"duplicates"`     // deleted messages that were delivered once more, since the start
	Messages      []LookMessage `json:"messages"`       // the newest hundred, the newest first
}

// LookMessage is one message of a queue.
type LookMessage struct {
	ID        string `json:"id"`
	State     string `json:"state"`         // visible, in_flight, delayed, or waiting (for its group)
	VisibleIn int64  `json:"visible_in_ms"` // until its delay or visibility timeout ends
	Receives  int    `json:"receives"`
	Group     string `json:"group,omitempty"`
	SentAt    int64  `json:"sent_at_ms"`
	Source    string `json:"source,omitempty"` // ARN of the queue that it is a dead letter of
}

const lookLimit = 100

// Look returns every queue's state. It receives nothing and counts nothing.
func (s *Service) Look() []Look {
	s.mu.RLock()
	defer s.mu.RUnlock()

	out := make([]Look, 0, len(s.queues))
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		out = append(out, s.queues[name].look(now()))
	}
	return out
}

func (q *queue) look(at int64) Look {
	q.mu.Lock()
	defer q.mu.Unlock()

	l := Look{Name: q.name, Rates: q.rates.over(at), EmptyReceives: q.rates.empty, Duplicates: q.rates.again, Messages: []LookMessage{}}
	l.Visible, l.InFlight, l.Delayed = q.counts(at)
	if e := q.arrived.Front(); e != nil {
		m, _ := e.Value.(*message)
		l.OldestAge = at - m.Arrived
	}

	for e := q.arrived.Back(); e != nil && len(l.Messages) < lookLimit; e = e.Prev() {
		m, _ := e.Value.(*message)
		shown := LookMessage{ID: m.ID, Receives: m.Received + m.receives, Group: m.Group, SentAt: m.Sent, Source: m.Source}
		var until int64
		shown.State, until = q.state(m, at)
		shown.VisibleIn = max(0, until-at)
		l.Messages = append(l.Messages, shown)
	}
	return l
}

// state returns what a message is, and until when where that ends by itself.
func (q *queue) state(m *message, at int64) (state string, until int64) {
	switch {
	case m.inFlight:
		return "in_flight", m.visibleAt
	case q.due(m) > at:
		return "delayed", q.due(m)
	case q.fifo && q.groups[m.Group].inFlight > 0:
		return "waiting", 0
	}
	return "visible", 0
}
