package sns

import (
	"maps"
	"slices"
)

// Look is one topic as the console shows it.
type Look struct {
	Topic         string             `json:"topic"`
	Subscriptions []LookSubscription `json:"subscriptions"`
}

// LookSubscription is one queue that a topic delivers to.
type LookSubscription struct {
	Queue string `json:"queue"` // ARN
	Raw   bool   `json:"raw"`
}

// Look returns every topic. It changes nothing.
func (s *Service) Look() []Look {
	out, topics := []Look{}, s.read()
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		l := Look{Topic: name, Subscriptions: []LookSubscription{}}
		for _, sub := range topics[name].Subscriptions {
			l.Subscriptions = append(l.Subscriptions, LookSubscription{sub.Endpoint, sub.Raw})
		}
		out = append(out, l)
	}
	return out
}
