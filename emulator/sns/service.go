package sns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"

	"tandem/emulator/journal"
	"tandem/emulator/sqs"
	"tandem/emulator/wire"
)

const (
	region  = "us-east-1"
	account = "000000000000"
	prefix  = "arn:aws:sns:" + region + ":" + account + ":"
	format  = 1
	// The emulator's own bounds.
	maxTopics        = 1000
	maxSubscriptions = 1000 // of a topic
)

// Options configures a Service.
type Options struct {
	Path  string // of the file of topics; empty keeps them in memory
	Fsync bool
	Log   *slog.Logger
	// Deliver sends a message to a queue; it returns when the queue has it.
	Deliver func(ctx context.Context, queueARN, body, group string, attributes map[string]sqs.Attribute) error
}

// Service is the topics and the texts. It is safe for concurrent use.
type Service struct {
	o     Options
	mu    sync.Mutex
	state state
	texts []SMS
}

// state is what is kept. It never changes: see change.
type state struct {
	Format int              `json:"format"`
	Topics map[string]topic `json:"topics"` // by name
}

type topic struct {
	Name          string         `json:"name"`
	Subscriptions []subscription `json:"subscriptions"`
}

type subscription struct {
	ARN      string `json:"arn"`
	Endpoint string `json:"endpoint"` // a queue's ARN
	Raw      bool   `json:"raw"`
}

func (t topic) arn() string { return prefix + t.Name }

// Open reads the topics that were kept.
func Open(o Options) (*Service, error) {
	s := &Service{o: o, state: state{Format: format, Topics: map[string]topic{}}}
	if o.Path == "" {
		return s, nil
	}

	b, err := os.ReadFile(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sns: %w", err)
	}

	s.state = state{}
	if err := json.Unmarshal(b, &s.state); err != nil {
		return nil, fmt.Errorf("sns: %s cannot be read: %w", o.Path, err)
	}
	// Not ignored: to lose topics silently is worse than not to start.
	if s.state.Format != format || s.state.Topics == nil {
		return nil, fmt.Errorf("sns: %s is of another format; start afresh with --fresh", o.Path)
	}
	return s, nil
}

// change applies f to a copy of the topics. The copy is written before it replaces
// them: what was answered survives a crash.
func (s *Service) change(f func(topics map[string]topic) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	next := state{Format: format, Topics: map[string]topic{}}
	for name, t := range s.state.Topics {
		// Others may still read the list that f is about to change.
		t.Subscriptions = slices.Clone(t.Subscriptions)
		next.Topics[name] = t
	}

	if err := f(next.Topics); err != nil {
		return err
	}
	// Nothing is written where nothing changed: an emulator that provisions what it
	// has must start on a full disk.
	if reflect.DeepEqual(next, s.state) {
		return nil
	}
	if err := s.save(next); err != nil {
		return err
	}

	s.state = next
	return nil
}

// save replaces the file. A crash leaves the new one or the old one.
func (s *Service) save(next state) error {
	if s.o.Path == "" {
		return nil
	}

	b, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("sns: %w", err)
	}
	if err := journal.Replace(s.o.Path, b, s.o.Fsync); err != nil {
		return fmt.Errorf("sns: %w", err)
	}
	return nil
}

// find returns the topic of an ARN.
func find(topics map[string]topic, arn string) (topic, error) {
	name, ok := strings.CutPrefix(arn, prefix)
	if n := strings.Count(arn, ":") + 1; n < 6 {
		return topic{}, invalid("TopicArn Reason: An ARN must have at least 6 elements, not %d", n)
	}
	if t, there := topics[name]; ok && there {
		return t, nil
	}
	return topic{}, &wire.Error{Status: 404, Code: "NotFound", Message: "Topic does not exist"}
}

func invalid(text string, args ...any) error {
	return wire.Bad("InvalidParameter", "Invalid parameter: "+text, args...)
}

// read returns the topics. Nobody changes this map: change replaces it, so it is
// read without a lock.
func (s *Service) read() map[string]topic {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Topics
}
