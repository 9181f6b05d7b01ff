package faults

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"tandem/emulator/wire"
)

// The kinds of failure.
const (
	kindError     = "error"
	kindLatency   = "latency"
	kindLost      = "lost_answer"
	kindReset     = "reset"
	kindDuplicate = "duplicate"
	kindReorder   = "reorder"
	kindExpired   = "expired_iterator"
)

const (
	anyOperation = "*"
	maxRules     = 100
	maxLatency   = 60_000 // ms
	maxBody      = 256 << 10
)

// Rule is one kind of failure of one operation.
type Rule struct {
	Service     string   `json:"service,omitempty"` // sqs, kinesis, sns, sts; empty: any
	Operation   string   `json:"operation"`         // such as PutRecords, or *
	Kind        string   `json:"kind"`
	Code        string   `json:"code,omitempty"`        // error: what the SDK sees
	Status      int      `json:"status,omitempty"`      // error: of HTTP; 0: 400
	Message     string   `json:"message,omitempty"`     // error
	LatencyMS   int      `json:"latency_ms,omitempty"`  // latency
	Probability *float64 `json:"probability,omitempty"` // nil: 1
	Seed        uint64   `json:"seed,omitempty"`
	Count       int      `json:"count,omitempty"`    // at most so many hits; 0: any number
	Resource    string   `json:"resource,omitempty"` // part of a queue's, stream's or topic's name; empty: any
}

// decode reads a list of rules. What it does not know is an error whose text names
// what is allowed.
func decode(body []byte, operations map[string][]string) ([]Rule, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()

	var rules []Rule
	if err := d.Decode(&rules); err != nil {
		return nil, fmt.Errorf(`the body is no list of rules, such as [{"operation":"PutRecords","kind":"reset","probability":0.1}]: %w`, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the list of rules")
	}

	for i, r := range rules {
		if err := r.check(operations); err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, err)
		}
	}
	return rules, nil
}

var code = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.]{0,99}$`)

func (r Rule) check(operations map[string][]string) error {
	services := strings.Join(slices.Sorted(maps.Keys(operations)), ", ")

	known := false
	for service, names := range operations {
		known = known || (r.Service == "" || r.Service == service) && (r.Operation == anyOperation || slices.Contains(names, r.Operation))
	}

	switch {
	case r.Service != "" && operations[r.Service] == nil:
		return fmt.Errorf("service is one of %s, or left out; not %q", services, r.Service)
	case r.Operation == "":
		return errors.New("operation is missing: name one, such as PutRecords, or * for all")
	case !known:
		return fmt.Errorf("the emulator has no operation %q in %s", r.Operation, services)
	case r.Probability != nil && (*r.Probability < 0 || *r.Probability > 1):
		return fmt.Errorf("probability is 0 to 1, not %g", *r.Probability)
	case r.Count < 0:
		return fmt.Errorf("count is 0 (no bound) or more, not %d", r.Count)
	}
	return r.checkKind()
}

func (r Rule) checkKind() error {
	kinds := []string{kindError, kindLatency, kindLost, kindReset, kindDuplicate, kindReorder, kindExpired}
	switch k := r.Kind; {
	case !slices.Contains(kinds, k):
		return fmt.Errorf("kind is one of %s; not %q", strings.Join(kinds, ", "), k)
	case k != kindError && (r.Code != "" || r.Status != 0 || r.Message != ""):
		return errors.New("code, status and message are for the kind error")
	case k == kindError && !code.MatchString(r.Code):
		return errors.New(`an error has a code, such as "InternalFailure"`)
	case r.Status != 0 && (r.Status < 400 || r.Status > 599):
		return fmt.Errorf("an error's status is 400 to 599, not %d", r.Status)
	case k != kindLatency && r.LatencyMS != 0:
		return errors.New("latency_ms is for the kind latency")
	case k == kindLatency && (r.LatencyMS < 1 || r.LatencyMS > maxLatency):
		return fmt.Errorf("a latency has latency_ms from 1 to %d, not %d", maxLatency, r.LatencyMS)
	case (k == kindLost || k == kindDuplicate) && r.Operation == subscribe:
		return fmt.Errorf("%s is about an answer, and %s has none that ends: error, latency and reset are possible", k, subscribe)
	case k == kindReorder && r.Operation != "ReceiveMessage":
		return errors.New("reorder is possible for ReceiveMessage alone, on standard queues: Kinesis and FIFO queues never reorder")
	case k == kindExpired && r.Operation != "GetRecords":
		return errors.New("expired_iterator is possible for GetRecords alone")
	}
	return nil
}

const subscribe = "SubscribeToShard"

// matches reports whether the rule is about a request. A rule that holds an answer
// back is never about a subscription, whose answer does not end.
func (r Rule) matches(c call) bool {
	switch {
	case r.Service != "" && r.Service != c.service, r.Operation != anyOperation && r.Operation != c.operation:
		return false
	case !strings.Contains(c.resource, r.Resource):
		return false
	case c.operation == subscribe && (r.Kind == kindLost || r.Kind == kindDuplicate):
		return false
	}
	return r.Kind != kindReorder || !strings.HasSuffix(c.resource, ".fifo")
}

// failure returns the error that a rule answers with.
func (r Rule) failure() *wire.Error {
	if r.Kind == kindExpired {
		return wire.Bad("ExpiredIteratorException", "Iterator expired: a fault that was asked for.")
	}
	return &wire.Error{Status: cmp.Or(r.Status, http.StatusBadRequest), Code: r.Code, Message: cmp.Or(r.Message, "A fault that was asked for.")}
}
