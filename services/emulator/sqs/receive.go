package sqs

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tandem/services/emulator/wire"
)

const (
	maxReceive    = 10
	maxWait       = 20
	maxVisibility = 12 * 60 * 60 // seconds
	maxInFlight   = 120_000
	ghostsKept    = 100
)

type receiveIn struct {
	QueueUrl                    string //nolint:revive // the wire's name
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int64
	WaitTimeSeconds             *int64
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
}

type messageOut struct {
	MessageID              string `json:"MessageId"`
	ReceiptHandle          string
	Body                   string
	MD5OfBody              string
	MD5OfMessageAttributes string               `json:",omitempty"`
	Attributes             map[string]string    `json:",omitempty"`
	MessageAttributes      map[string]attribute `json:",omitempty"`
}

type receiveOut struct {
	Messages []messageOut `json:",omitempty"`
}

// receive waits as long as the call or the queue says, and answers as soon as
// there is a message.
func (s *Service) receive(ctx context.Context, in receiveIn) (receiveOut, error) {
	n := 1
	if in.MaxNumberOfMessages != nil {
		n = *in.MaxNumberOfMessages
	}
	if n < 1 || n > maxReceive {
		return receiveOut{}, wire.Bad("InvalidParameterValue", "Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", n)
	}
	if in.WaitTimeSeconds != nil && (*in.WaitTimeSeconds < 0 || *in.WaitTimeSeconds > maxWait) {
		return receiveOut{}, wire.Bad("InvalidParameterValue", "Value %d for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.", *in.WaitTimeSeconds)
	}
	if v := in.VisibilityTimeout; v != nil && (*v < 0 || *v > maxVisibility) {
		return receiveOut{}, wire.Bad("InvalidParameterValue", "Value %d for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].", *v)
	}
	var deadline time.Time
	for {
		if ctx.Err() != nil { // nothing is handed out to a client that left
			return receiveOut{}, nil //nolint:nilerr // nobody reads the answer
		}
		got, changed, due, wait, err := s.tryReceive(in, n)
		if err != nil || len(got) > 0 {
			return receiveOut{got}, err
		}
		if deadline.IsZero() {
			deadline = time.Now().Add(wait)
		}
		left := time.Until(deadline)
		if left <= 0 {
			return receiveOut{}, nil
		}
		if due > 0 {
			left = min(left, max(time.Until(time.UnixMilli(due)), time.Millisecond))
		}
		t := time.NewTimer(left)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-t.C:
		}
		t.Stop()
	}
}

// tryReceive hands out what is visible; with nothing, it says what to wait for.
func (s *Service) tryReceive(in receiveIn, n int) (out []messageOut, changed <-chan struct{}, due int64, wait time.Duration, err error) {
	err = s.do(func() error {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return err
		}
		seconds := q.number("ReceiveMessageWaitTimeSeconds")
		if in.WaitTimeSeconds != nil {
			seconds = *in.WaitTimeSeconds
		}
		wait = time.Duration(seconds) * time.Second
		if s.o.Limits && q.inFlight >= maxInFlight {
			if seconds == 0 && !q.isFIFO() {
				return &wire.Error{Status: 403, Code: "OverLimit", Query: "OverLimit", Message: "The maximum number of in flight messages is reached."}
			}
			changed, due = q.changed, q.nextDue(now())
			return nil
		}
		if out, err = s.handOut(q, in, n); err != nil {
			return err
		}
		changed, due = q.changed, q.nextDue(now())
		return nil
	})
	return out, changed, due, wait, err
}

func (s *Service) handOut(q *queue, in receiveIn, n int) ([]messageOut, error) {
	visibility := q.number("VisibilityTimeout")
	if in.VisibilityTimeout != nil {
		visibility = *in.VisibilityTimeout
	}
	at := now()
	policy, _ := parseRedrive(q.attributes["RedrivePolicy"]) // checked when it was set
	dead := s.byARN(policy.Target)
	var out []messageOut
	q.ripen(at) // once: with a visibility of 0 nothing is in one answer twice
	for len(out) < n {
		picked := q.pick(n-len(out), at, s.o.Reorder)
		if len(picked) == 0 {
			break
		}
		for i, m := range picked {
			if q.expired(m, at) {
				q.fly(m, at) // so that remove finds it
				q.remove(m)
				continue
			}
			if dead != nil && m.receives >= policy.Max {
				q.fly(m, at)
				if err := s.move(q, m, dead, q.arn); err != nil {
					for _, rest := range picked[i+1:] {
						q.fly(rest, at) // visible again at once
					}
					return nil, err
				}
				continue
			}
			m.receives++
			if m.firstReceived == 0 {
				m.firstReceived = at
			}
			q.fly(m, at+visibility*1000)
			out = append(out, q.show(m, in))
		}
	}
	if len(q.ghosts) > 0 && len(out) < n && q.rng.Float64() < 0.2 {
		m := q.ghosts[0]
		q.ghosts = q.ghosts[1:]
		m.receives++
		out = append(out, q.show(m, in))
	}
	return out, nil
}

// move takes a message to another queue: to a dead-letter queue from source,
// where a standard queue keeps the first enqueue time and a FIFO queue starts
// it anew; or, without source, back from one, as a new message.
func (s *Service) move(from *queue, m *message, to *queue, source string) error {
	s.seq++
	next := &message{ID: m.ID, Body: m.Body, Attributes: m.Attributes, Group: m.Group, Dedup: m.Dedup, Trace: m.Trace,
		Sent: m.Sent, Seq: s.seq, Source: source}
	if to.isFIFO() || source == "" {
		next.Sent = now()
	}
	if source == "" {
		next.ID = uuid.NewString()
	}
	if err := s.write(entry{Op: "move", Queue: from.name, To: to.name, ID: m.ID, Message: next}); err != nil {
		return err
	}
	from.remove(m)
	to.add(next, now())
	return nil
}

func (q *queue) show(m *message, in receiveIn) messageOut {
	out := messageOut{
		MessageID: m.ID, Body: m.Body, MD5OfBody: md5Hex([]byte(m.Body)),
		ReceiptHandle: base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s %s %s", q.name, m.ID, m.holder(q.run))),
	}
	all := m.system()
	for _, name := range append(slices.Clone(in.AttributeNames), in.MessageSystemAttributeNames...) {
		if out.Attributes == nil {
			out.Attributes = map[string]string{}
		}
		if name == "All" {
			out.Attributes = all
			break
		}
		if v, ok := all[name]; ok {
			out.Attributes[name] = v
		}
	}
	for name, a := range m.Attributes {
		if wanted(in.MessageAttributeNames, name) {
			if out.MessageAttributes == nil {
				out.MessageAttributes = map[string]attribute{}
			}
			out.MessageAttributes[name] = a
		}
	}
	out.MD5OfMessageAttributes = md5Attributes(out.MessageAttributes)
	return out
}

func wanted(names []string, name string) bool {
	return slices.ContainsFunc(names, func(want string) bool {
		prefix, isPrefix := strings.CutSuffix(want, ".*")
		return want == "All" || want == ".*" || want == name || isPrefix && strings.HasPrefix(name, prefix)
	})
}

func (m *message) system() map[string]string {
	out := map[string]string{
		"ApproximateReceiveCount": strconv.Itoa(m.receives), "SentTimestamp": strconv.FormatInt(m.Sent, 10), "SenderId": account,
	}
	set := func(name, v string) {
		if v != "" {
			out[name] = v
		}
	}
	if m.firstReceived > 0 {
		set("ApproximateFirstReceiveTimestamp", strconv.FormatInt(m.firstReceived, 10))
	}
	set("MessageGroupId", m.Group)
	set("MessageDeduplicationId", m.Dedup)
	if m.Dedup != "" {
		set("SequenceNumber", sequence(m.Seq))
	}
	set("DeadLetterQueueSourceArn", m.Source)
	set("AWSTraceHeader", m.Trace)
	return out
}

// holder names who holds a message: its latest receive, in this run of the
// emulator.
func (m *message) holder(run int64) string { return fmt.Sprintf("%d.%d", run, m.receives) }

// holds says whether a receipt handle's holder is the one whose message is in
// flight now.
func (q *queue) holds(m *message, holder string) bool {
	return m.inFlight && m.holder(q.run) == holder
}

// handle reads a receipt handle: the message it is of, and its holder.
func (q *queue) handle(text string) (id, holder string, err error) {
	b, err := base64.StdEncoding.DecodeString(text)
	parts := strings.Fields(string(b))
	if err == nil && len(parts) == 3 && parts[0] == q.name {
		return parts[1], parts[2], nil
	}
	return "", "", &wire.Error{Status: 404, Code: "ReceiptHandleIsInvalid", Query: "ReceiptHandleIsInvalid",
		Message: "The input receipt handle is invalid."}
}
