package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"
)

// RideWorker is the answer of GET /v1/rides/{id}/worker: who holds a message of the
// ride at this moment, by the worker's own word.
type RideWorker struct {
	At     int64   `json:"at"`     // when this was answered, ms since 1970 UTC
	Holder *Holder `json:"holder"` // null: no worker says that it holds one
	Killed *Holder `json:"killed"` // the last one that was killed while it held one; null: none was
	// Killable reports whether POST …/worker/kill exists here; else Instead is the
	// command that does it.
	Killable bool   `json:"killable"`
	Instead  string `json:"instead,omitempty"`
}

// Holder is a worker that has a message of the ride in flight.
type Holder struct {
	Worker    string `json:"worker"`
	PID       int    `json:"pid"`
	MessageID string `json:"message_id"`
	Receives  int    `json:"receives"`
	Others    int    `json:"others"` // other rides' messages that it holds besides
}

// rideWorker says who holds a message of the ride.
func (s *service) rideWorker(ctx context.Context, ride string) (RideWorker, error) {
	out := RideWorker{Killable: s.cfg.KillWorkers}
	if !out.Killable {
		out.Instead = insteadOfKill(s.cfg.AWS.Endpoint)
	}

	messages, err := s.messagesOf(ctx, ride)
	if err != nil {
		return out, err
	}
	out.Killed = s.kills.of(messages)
	out.Holder, out.At = s.holder(ctx, messages), time.Now().UnixMilli()
	return out, nil
}

// insteadOfKill is the command that kills workers where they are no processes of this
// machine. Docker does not start again by itself what was killed by it.
func insteadOfKill(endpoint string) string {
	if endpoint == "" {
		return "kill -9 PID, where the worker runs"
	}
	return "docker compose kill --signal KILL dispatch && docker compose up -d dispatch"
}

// messagesOf returns the ids of a ride's messages that are not deleted, by its
// history.
func (s *service) messagesOf(ctx context.Context, ride string) ([]string, error) {
	var open []string
	for after := int64(0); ; {
		var page struct {
			Events []struct {
				Kind string
				Data struct {
					MessageID string `json:"message_id"`
				}
			}
			Next int64
		}
		path := fmt.Sprintf("/v1/rides/%s/events?after=%d", url.PathEscape(ride), after)
		if err := s.booking.Get(ctx, path, &page); err != nil {
			return nil, err
		}
		if len(page.Events) == 0 {
			return open, nil
		}

		for _, e := range page.Events {
			id := e.Data.MessageID
			switch {
			case id == "":
			case e.Kind == "deleted":
				open = slices.DeleteFunc(open, func(m string) bool { return m == id })
			case !slices.Contains(open, id):
				open = append(open, id)
			}
		}
		after = page.Next
	}
}

// holder asks every dispatch worker what it holds, and returns the one that has one
// of the messages; nil: none says so. Nobody else's word counts: the ride's history
// tells who received a message last, which may have died since.
func (s *service) holder(ctx context.Context, messages []string) *Holder {
	ctx, cancel := context.WithTimeout(ctx, traceWithin)
	defer cancel()

	var mu sync.Mutex
	var wg sync.WaitGroup
	var found *Holder
	for _, p := range s.gather.workers(ctx) {
		wg.Go(func() {
			h, holds := p.holds(ctx, messages)
			if !holds {
				return
			}

			mu.Lock()
			defer mu.Unlock()
			// SQS may deliver a copy: the newest receive is the one that counts.
			if found == nil || h.Receives > found.Receives {
				found = &h
			}
		})
	}

	wg.Wait()
	return found
}

// workers returns the dispatch processes that there are.
func (g *gatherer) workers(ctx context.Context) []*peer {
	return slices.DeleteFunc(g.present(ctx), func(p *peer) bool { return kindOf(p.Name) != "dispatch" })
}

// holds asks a worker now, whatever it said a moment ago, and reports whether it has one
// of the messages in flight, and which.
func (p *peer) holds(ctx context.Context, messages []string) (h Holder, ok bool) {
	s, err := p.ask(ctx)
	if err != nil {
		return h, false // it is being started again, and holds nothing
	}

	var detail struct {
		InFlight []struct {
			MessageID string `json:"message_id"`
			Receives  int    `json:"receives"`
		} `json:"in_flight"`
	}
	if json.Unmarshal(s.Detail, &detail) != nil {
		return h, false // of another version: what it holds is not known
	}

	for _, m := range detail.InFlight {
		if slices.Contains(messages, m.MessageID) {
			return Holder{Worker: s.Name, PID: s.PID, MessageID: m.MessageID, Receives: m.Receives, Others: len(detail.InFlight) - 1}, true
		}
	}
	return h, false
}
