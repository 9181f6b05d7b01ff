package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"tandem/services/domain/event"
)

// RideQueue is the answer of GET /v1/rides/{id}/queue. Both parts come from the queue
// itself, and to look changes nothing.
type RideQueue struct {
	At      int64        `json:"at"`      // when this was answered, ms since 1970 UTC
	Counts  *CountsAt    `json:"counts"`  // null: SQS has never answered
	Message *RideMessage `json:"message"` // null: it cannot be looked at, see Known
	Known   bool         `json:"known"`   // whether the queue can be looked into at all, as only the emulator's can
	Backend
}

// Backend is where AWS's own tools find what an answer tells of.
type Backend struct {
	Endpoint string `json:"endpoint,omitempty"` // missing: AWS itself
	Region   string `json:"region"`
}

// CountsAt is how many requests there are, about, and when SQS said so.
type CountsAt struct {
	QueueCounts
	HeardAt int64 `json:"heard_at"` // ms since 1970 UTC
}

// RideMessage is one message in the queue.
type RideMessage struct {
	ID       string `json:"id"`
	State    string `json:"state"`    // visible, in_flight or delayed
	ShowsAt  int64  `json:"shows_at"` // when the queue shows it again unless it is extended or deleted, ms since 1970 UTC; 0: it is visible
	Receives int    `json:"receives"`
	HeardAt  int64  `json:"heard_at"` // ms since 1970 UTC
}

// lookIn returns the queue's counts and, where it can be looked into, one message.
func (s *service) lookIn(ctx context.Context, message string) RideQueue {
	asked := []<-chan struct{}{s.inside.begin(ctx)}
	requests := slices.Index(s.gather.names, event.QueueRideRequests)
	if requests >= 0 {
		asked = append(asked, s.gather.queues[requests].begin(ctx))
	}
	await(asked)

	now := time.Now()
	out := RideQueue{At: now.UnixMilli(), Backend: Backend{s.cfg.AWS.Endpoint, s.region}}
	if requests >= 0 {
		if counts, heard, _ := s.gather.queues[requests].look(now); !heard.IsZero() {
			out.Counts = &CountsAt{counts, heard.UnixMilli()}
		}
	}

	messages, heard, fresh := s.inside.look(now)
	out.Known = fresh
	for _, m := range messages {
		if m.ID != message || !fresh {
			continue
		}
		out.Message = &RideMessage{ID: m.ID, State: m.State, Receives: m.Receives, HeardAt: heard.UnixMilli()}
		if m.VisibleIn > 0 {
			out.Message.ShowsAt = heard.UnixMilli() + m.VisibleIn
		}
	}
	return out
}

// insideMessage is a message as the emulator shows it.
type insideMessage struct {
	ID        string `json:"id"`
	State     string `json:"state"`
	VisibleIn int64  `json:"visible_in_ms"`
	Receives  int    `json:"receives"`
}

// inside is the look into the queue of ride requests, which is shared for a moment.
type inside struct {
	part[[]insideMessage]
	lock  sync.Mutex
	asked time.Time
}

func newInside(endpoint string) *inside {
	in := &inside{}
	in.now = time.Now
	in.ask = func(ctx context.Context) ([]insideMessage, error) { return askEmulator(ctx, endpoint) }
	return in
}

// begin asks, unless somebody has done so a moment ago.
func (in *inside) begin(ctx context.Context) <-chan struct{} {
	in.lock.Lock()
	defer in.lock.Unlock()
	if time.Since(in.asked) < shareFor {
		return nil
	}
	in.asked = time.Now()
	return in.part.begin(ctx)
}

// maxState bounds what the emulator answers.
const maxState = 4 << 20

// askEmulator returns the newest messages of the queue of ride requests. AWS and
// LocalStack do not tell a message's deadline: there the answer is an error.
func askEmulator(ctx context.Context, endpoint string) ([]insideMessage, error) {
	if endpoint == "" {
		return nil, errors.New("AWS shows no messages")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(endpoint, "/")+"/_aws/emulator/state", nil)
	if err != nil {
		return nil, err
	}

	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the endpoint answered %s", resp.Status)
	}

	var state struct {
		Queues []struct {
			Name     string          `json:"name"`
			Messages []insideMessage `json:"messages"`
		} `json:"queues"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxState)).Decode(&state); err != nil {
		return nil, err
	}
	for _, q := range state.Queues {
		if q.Name == event.QueueRideRequests {
			return q.Messages, nil
		}
	}
	return nil, fmt.Errorf("there is no queue %s", event.QueueRideRequests)
}
