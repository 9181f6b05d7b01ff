package deadletter

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"tandem/services/domain/ride"
	"tandem/services/internal/queue/sqsworker"
)

// Letter is one dead letter as it is listed.
type Letter struct {
	Place string `json:"place"` // a dead-letter queue, or outbox
	ID    string `json:"id"`    // SQS's message id, or the outbox row's
	// Source is the queue that it is for, and goes back to.
	Source string `json:"source"`
	// Reason is why it is a dead letter. Empty: SQS moved it, after the queue's
	// maxReceiveCount, and SQS writes none.
	Reason string `json:"reason"`
	// About is what the message says it is, such as "ride.request, attempt 1", or
	// why that cannot be read, such as "no JSON".
	About string `json:"about"`
	// WrittenAt is when its producer wrote it, by the message's own word.
	WrittenAt *time.Time `json:"written_at"`
	// SentAt is SQS's. A worker's dead letter is a new message, so it is when the worker
	// sent it; one that SQS moved keeps its first time on a standard queue.
	SentAt *time.Time `json:"sent_at"`
	// Receives counts the receives on the dead-letter queue: how often somebody looked.
	// Where SQS moved the message, those before are in it. Of an outbox row: its tries.
	Receives int    `json:"receives"`
	Group    string `json:"group,omitempty"`
	Ride     *Ride  `json:"ride"` // null: it is about no ride, or about one that cannot be read from it
	// Advice is what a redrive would do.
	Advice string `json:"advice"`
}

// Ride is the ride that a dead letter is about, now.
type Ride struct {
	ID string `json:"id"`
	// State is the ride's; empty: there is no such ride, or it is not known.
	State ride.State `json:"state,omitempty"`
	// Known reports whether the database answered.
	Known   bool      `json:"known"`
	Closed  bool      `json:"closed"`
	Attempt int       `json:"attempt,omitempty"`
	Expires time.Time `json:"expires_at,omitzero"`
}

// Detail is one dead letter with all there is to see.
type Detail struct {
	Letter     `json:"letter"`
	Body       string            `json:"body"`
	Bytes      int               `json:"bytes"` // of the whole body
	Attributes map[string]string `json:"attributes"`
	History    []ride.Event      `json:"history"` // the ride's; empty where it is not known
}

const (
	shownBody = 64 << 10 // bytes of a body that are shown
	shownText = 1_024    // of a reason or an attribute
)

func letterOf(q *queue, m types.Message) Letter {
	l := Letter{Place: q.name, ID: text(m.MessageId), Source: q.source, Group: m.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)]}
	l.Reason = shorten(text(m.MessageAttributes[sqsworker.ReasonAttribute].StringValue), shownText)

	// SQS sends both numbers in every answer.
	l.Receives, _ = strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	if ms, err := strconv.ParseInt(m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64); err == nil {
		l.SentAt = new(time.UnixMilli(ms).UTC())
	}
	return l
}

func attributesOf(m types.Message) map[string]string {
	out := map[string]string{}
	for k, v := range m.MessageAttributes {
		switch {
		case v.StringValue != nil:
			out[k] = shorten(*v.StringValue, shownText)
		default:
			out[k] = fmt.Sprintf("(binary, %d bytes)", len(v.BinaryValue))
		}
	}
	return out
}

// shorten bounds a text from outside, at a character.
func shorten(s string, most int) string {
	if len(s) <= most {
		return strings.ToValidUTF8(s, "�")
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
