package sqstest

import (
	"cmp"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// State is where a message is on its way.
type State string

// The states.
const (
	Visible  State = "visible"
	InFlight State = "in flight" // received, and not deleted
	Delayed  State = "delayed"   // since it was sent
)

// Message is a message as the queue has it.
type Message struct {
	ID, Body             string
	Group, Deduplication string // MessageGroupId and MessageDeduplicationId
	TraceHeader          string // the system attribute AWSTraceHeader
	Attributes           map[string]types.MessageAttributeValue
	SentAt               time.Time
	Receives             int // on all of its queues
	State                State
	HiddenUntil          time.Time // zero: it is visible
	Source               string    // the queue that it is a dead letter of
}

// message is a Message while it is on a queue.
type message struct {
	Message
	sequence int
	receives int    // on this queue
	receipt  string // the latest
	due      time.Time
	received time.Time // the latest receive, from which the twelve hours count
	first    time.Time // the first receive
	until    time.Time // end of its visibility
	removed  bool
}

func (m *message) state(now time.Time) State {
	switch {
	case now.Before(m.until):
		return InFlight
	case now.Before(m.due):
		return Delayed
	}
	return Visible
}

func (m *message) hiddenUntil(now time.Time) time.Time {
	switch m.state(now) {
	case InFlight:
		return m.until
	case Delayed:
		return m.due
	}
	return time.Time{}
}

// system returns the system attributes of a message.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
func (m *message) system(q *Queue) map[string]string {
	ms := func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
	out := map[string]string{
		"SenderId": "000000000000", "SentTimestamp": ms(m.SentAt), "ApproximateFirstReceiveTimestamp": ms(m.first),
		"ApproximateReceiveCount": strconv.Itoa(m.Receives), "MessageGroupId": m.Group, "AWSTraceHeader": m.TraceHeader,
	}
	if q.fifo {
		out["MessageDeduplicationId"], out["SequenceNumber"] = m.Deduplication, sequence(m.sequence)
	}
	if m.Source != "" {
		out["DeadLetterQueueSourceArn"] = arn(m.Source)
	}
	for name, value := range out {
		if value == "" {
			delete(out, name)
		}
	}
	return out
}

func (s Settings) visibility() time.Duration { return cmp.Or(s.Visibility, 30*time.Second) }

func (s Settings) retention() time.Duration { return cmp.Or(s.Retention, 4*24*time.Hour) }

func (s Settings) maximumSize() int { return cmp.Or(s.MaximumSize, maxSize) }
