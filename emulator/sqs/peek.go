package sqs

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"tandem/emulator/wire"
)

// ServePeek answers GET /_aws/sqs/messages?QueueUrl=… with a queue's messages,
// without receiving them. The answer is what LocalStack 4.14.0 answers with
// Accept: application/json: an XML document turned into JSON, in which Message
// is null, one object or a list. ShowInvisible and ShowDelayed (true or 1) add
// what is in flight and what is delayed.
// /_aws/sqs/messages/{region}/{account}/{queue} may name the queue instead.
// https://docs.localstack.cloud/aws/services/sqs/#sqs-query-api
func (s *Service) ServePeek(w http.ResponseWriter, r *http.Request) {
	messages, err := s.peekFor(r)
	if err != nil {
		peekFailed(w, err)
		return
	}

	answer := peekResponse{RequestID: peekID{uuid.NewString()}}
	if len(messages) > 0 {
		answer.Result = &peekResult{messages}
	}
	answerPeek(w, http.StatusOK, "ReceiveMessageResponse", answer)
}

func (s *Service) peekFor(r *http.Request) ([]peekMessage, error) {
	p, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, invalid("The query cannot be read.")
	}

	name := r.PathValue("queue")
	if name == "" {
		name = p.Get("QueueUrl")
	}
	return s.peek(name, isTrue(p.Get("ShowInvisible")), isTrue(p.Get("ShowDelayed")))
}

func isTrue(s string) bool { return strings.EqualFold(s, "true") || s == "1" }

type peekResponse struct {
	Result    *peekResult `json:"ReceiveMessageResult"` // null without messages
	RequestID peekID      `json:"ResponseMetadata"`
}

type peekID struct {
	ID string `json:"RequestId"`
}

type peekResult struct {
	Messages oneOrList[peekMessage] `json:"Message"`
}

// oneOrList is an element of XML that may be repeated: in JSON a single one is
// an object, and several are a list.
type oneOrList[T any] []T

// MarshalJSON writes one element, or a list.
func (l oneOrList[T]) MarshalJSON() ([]byte, error) {
	if len(l) == 1 {
		return json.Marshal(l[0])
	}
	return json.Marshal([]T(l))
}

type peekMessage struct {
	MessageID              string                   `json:"MessageId"`
	MD5OfBody              string                   `json:"MD5OfBody"`
	Body                   string                   `json:"Body"`
	Attributes             oneOrList[peekAttribute] `json:"Attribute"`
	MD5OfMessageAttributes string                   `json:"MD5OfMessageAttributes,omitempty"`
	MessageAttributes      oneOrList[peekOwn]       `json:"MessageAttribute,omitempty"`
	ReceiptHandle          string                   `json:"ReceiptHandle"`
}

// peekAttribute is one of the system's attributes.
type peekAttribute struct {
	Name  string `json:"Name"`
	Value string `json:"Value"`
}

// peekOwn is one of the message's own attributes.
type peekOwn struct {
	Name  string    `json:"Name"`
	Value peekValue `json:"Value"`
}

type peekValue struct {
	StringValue string `json:"StringValue,omitempty"`
	BinaryValue string `json:"BinaryValue,omitempty"` // base64
	DataType    string `json:"DataType"`
}

// peek returns what is in flight first, then the visible, then the delayed.
func (s *Service) peek(queueURL string, invisible, delayed bool) (out []peekMessage, err error) {
	err = s.withQueue(queueURL, func(q *queue) error {
		at := now()
		q.expire(at)
		q.makeVisible(at)

		for _, want := range []string{"in_flight", "waiting", "visible", "delayed"} {
			if want == "delayed" && !delayed || (want == "in_flight" || want == "waiting") && !invisible {
				continue
			}

			for e := q.arrived.Front(); e != nil; e = e.Next() {
				m, _ := e.Value.(*message)
				if state, _ := q.state(m, at); state == want {
					out = append(out, q.peeked(m, state, invisible, delayed))
				}
			}
		}
		return nil
	})
	return out, err
}

func (q *queue) peeked(m *message, state string, invisible, delayed bool) peekMessage {
	out := peekMessage{
		MessageID: m.ID, MD5OfBody: m.bodyMD5(), Body: m.Body, MD5OfMessageAttributes: md5Attributes(m.Attributes),
		// LocalStack's: nobody received the message, so there is no handle that deletes it.
		ReceiptHandle: "SQS/BACKDOOR/ACCESS",
	}

	for _, name := range systemAttributes() {
		if v := m.system(name); v != "" {
			out.Attributes = append(out.Attributes, peekAttribute{name, v})
		}
	}
	if invisible {
		out.Attributes = append(out.Attributes, peekAttribute{"IsVisible", strconv.FormatBool(state != "in_flight")})
	}
	if delayed {
		out.Attributes = append(out.Attributes, peekAttribute{"IsDelayed", strconv.FormatBool(state == "delayed")})
	}

	for _, name := range slices.Sorted(maps.Keys(m.Attributes)) {
		a := m.Attributes[name]
		value := peekValue{a.StringValue, base64.StdEncoding.EncodeToString(a.BinaryValue), a.DataType}
		out.MessageAttributes = append(out.MessageAttributes, peekOwn{name, value})
	}
	return out
}

type peekError struct {
	Error     peekFault
	RequestID string `json:"RequestId"`
}

type peekFault struct {
	Code    string
	Message string `json:",omitempty"`
	Type    string
}

func peekFailed(w http.ResponseWriter, err error) {
	var e *wire.Error
	if !errors.As(err, &e) {
		e = &wire.Error{Status: http.StatusInternalServerError, Query: "InternalFailure", Message: err.Error()}
	}
	answerPeek(w, e.Status, "ErrorResponse", peekError{peekFault{e.Query, e.Message, "Sender"}, uuid.NewString()})
}

func answerPeek(w http.ResponseWriter, status int, root string, v any) {
	b, err := json.Marshal(map[string]any{root: v})
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(err.Error())
	}

	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client is gone if this fails
}
