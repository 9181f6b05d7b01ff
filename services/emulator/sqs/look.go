package sqs

import (
	"cmp"
	"maps"
	"slices"
)

// Look is one queue as the console shows it.
type Look struct {
	Name     string        `json:"name"`
	Visible  int           `json:"visible"`
	InFlight int           `json:"in_flight"`
	Delayed  int           `json:"delayed"`
	Messages []LookMessage `json:"messages"` // the first hundred
}

// LookMessage is one message of it; nothing is counted by looking.
type LookMessage struct {
	ID        string `json:"id"`
	Receives  int    `json:"receives"`
	InFlight  bool   `json:"in_flight"`
	VisibleIn int64  `json:"visible_in_ms"`
	SentAt    int64  `json:"sent_at"`
}

const lookLimit = 100

// Look shows every queue without touching it.
func (s *Service) Look() []Look {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := now()
	var out []Look
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		q := s.queues[name]
		l := Look{Name: name, Messages: []LookMessage{}}
		l.Visible, l.InFlight, l.Delayed = q.counts(at)
		for _, m := range q.inOrder() {
			if len(l.Messages) == lookLimit {
				break
			}
			l.Messages = append(l.Messages, LookMessage{m.ID, m.receives, m.inFlight, max(0, m.VisibleAt-at), m.Sent})
		}
		out = append(out, l)
	}
	return out
}

func (q *queue) inOrder() []*message {
	return slices.SortedFunc(maps.Values(q.byID), func(a, b *message) int { return cmp.Compare(a.Seq, b.Seq) })
}

// Peek gives a queue's messages as LocalStack's /_aws/sqs/messages does: the
// visible ones, with invisible those in flight and delayed too.
func (s *Service) Peek(queueURL string, invisible bool) ([]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(queueURL)
	if err != nil {
		return nil, err
	}
	at := now()
	q.ripen(at)
	out := []any{}
	for _, m := range q.inOrder() {
		hidden := m.inFlight || m.VisibleAt > at
		if hidden && !invisible {
			continue
		}
		shown := q.show(m, receiveIn{AttributeNames: []string{"All"}, MessageAttributeNames: []string{"All"}})
		shown.Attributes["IsVisible"] = "true"
		if hidden {
			shown.Attributes["IsVisible"] = "false"
		}
		shown.ReceiptHandle = "SQS/BACKDOOR/ACCESS"
		out = append(out, shown)
	}
	return out, nil
}
