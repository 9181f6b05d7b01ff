package sqs

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
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

// ServePeek answers GET /_aws/sqs/messages?QueueUrl=… as LocalStack 4.14.0
// does: a queue's messages without receiving them, as XML, or with Accept:
// application/json as JSON that is the XML turned over, so that Message is null,
// one object or a list. ShowInvisible and ShowDelayed (true or 1) add what is in
// flight and what is delayed. /_aws/sqs/messages/{region}/{account}/{queue} may
// name the queue instead.
// https://docs.localstack.cloud/aws/services/sqs/#sqs-query-api
func (s *Service) ServePeek(w http.ResponseWriter, r *http.Request) {
	asJSON := strings.Contains(r.Header.Get("Accept"), "json")
	p, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		err = invalid("The query cannot be read.")
	}
	name := r.PathValue("queue")
	if name == "" {
		name = p.Get("QueueUrl")
	}
	result := peekResult{}
	if err == nil {
		result.Messages, err = s.peek(name, truth(p.Get("ShowInvisible")), truth(p.Get("ShowDelayed")))
	}
	if err != nil {
		peekFailed(w, err, asJSON)
		return
	}
	out := peekResponse{XMLNS: peekNamespace, Result: result, RequestID: peekID{uuid.NewString()}}
	answerPeek(w, http.StatusOK, "ReceiveMessageResponse", out, asJSON)
}

func truth(s string) bool { return strings.EqualFold(s, "true") || s == "1" }

const peekNamespace = "http://queue.amazonaws.com/doc/2012-11-05/"

type peekResponse struct {
	XMLName   xml.Name   `xml:"ReceiveMessageResponse" json:"-"`
	XMLNS     string     `xml:"xmlns,attr" json:"-"`
	Result    peekResult `xml:"ReceiveMessageResult" json:"ReceiveMessageResult"`
	RequestID peekID     `xml:"ResponseMetadata" json:"ResponseMetadata"`
}

type peekID struct {
	ID string `xml:"RequestId" json:"RequestId"`
}

type peekResult struct {
	Messages few[peekMessage] `xml:"Message"`
}

// MarshalJSON writes an empty element as null.
func (r peekResult) MarshalJSON() ([]byte, error) {
	if len(r.Messages) == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(map[string]any{"Message": r.Messages})
}

// few are elements of XML: in JSON one of them is itself, more are a list.
type few[T any] []T

// MarshalJSON writes one, or a list.
func (f few[T]) MarshalJSON() ([]byte, error) {
	if len(f) == 1 {
		return json.Marshal(f[0])
	}
	return json.Marshal([]T(f))
}

type peekMessage struct {
	MessageID              string           `xml:"MessageId" json:"MessageId"`
	MD5OfBody              string           `json:"MD5OfBody"`
	Body                   string           `json:"Body"`
	Attribute              few[peekPair]    `json:"Attribute"`
	MD5OfMessageAttributes string           `xml:",omitempty" json:"MD5OfMessageAttributes,omitempty"`
	MessageAttribute       few[peekUserOwn] `json:"MessageAttribute,omitempty"`
	ReceiptHandle          string           `json:"ReceiptHandle"`
}

type peekPair struct {
	Name  string `json:"Name"`
	Value string `json:"Value"`
}

type peekUserOwn struct {
	Name  string    `json:"Name"`
	Value peekValue `json:"Value"`
}

type peekValue struct {
	StringValue string `xml:",omitempty" json:"StringValue,omitempty"`
	BinaryValue string `xml:",omitempty" json:"BinaryValue,omitempty"` // base64
	DataType    string `json:"DataType"`
}

// peek gives what is in flight first, then the visible, then the delayed.
func (s *Service) peek(queueURL string, invisible, delayed bool) (out []peekMessage, err error) {
	err = s.on(queueURL, func(q *queue) error {
		at := now()
		q.expire(at)
		q.ripen(at)
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
		MessageID: m.ID, MD5OfBody: m.bodyMD5(), Body: m.Body, ReceiptHandle: "SQS/BACKDOOR/ACCESS",
		MD5OfMessageAttributes: md5Attributes(m.Attributes),
	}
	for _, name := range systemAttributes() {
		if v := m.system(name); v != "" {
			out.Attribute = append(out.Attribute, peekPair{name, v})
		}
	}
	if invisible {
		out.Attribute = append(out.Attribute, peekPair{"IsVisible", strconv.FormatBool(state != "in_flight")})
	}
	if delayed {
		out.Attribute = append(out.Attribute, peekPair{"IsDelayed", strconv.FormatBool(state == "delayed")})
	}
	for _, name := range slices.Sorted(maps.Keys(m.Attributes)) {
		a := m.Attributes[name]
		out.MessageAttribute = append(out.MessageAttribute, peekUserOwn{name, peekValue{a.StringValue, base64.StdEncoding.EncodeToString(a.BinaryValue), a.DataType}})
	}
	return out
}

type peekError struct {
	XMLName   xml.Name `xml:"ErrorResponse" json:"-"`
	XMLNS     string   `xml:"xmlns,attr" json:"-"`
	Error     peekFault
	RequestID string `xml:"RequestId" json:"RequestId"`
}

type peekFault struct {
	Code    string
	Message string `xml:",omitempty" json:",omitempty"`
	Type    string
}

func peekFailed(w http.ResponseWriter, err error, asJSON bool) {
	var e *wire.Error
	if !errors.As(err, &e) {
		e = &wire.Error{Status: http.StatusInternalServerError, Query: "InternalFailure", Message: err.Error()}
	}
	answerPeek(w, e.Status, "ErrorResponse", peekError{XMLNS: peekNamespace, Error: peekFault{e.Query, e.Message, "Sender"}, RequestID: uuid.NewString()}, asJSON)
}

func answerPeek(w http.ResponseWriter, status int, root string, v any, asJSON bool) {
	var b []byte
	var err error
	if asJSON {
		w.Header().Set("Content-Type", "application/json")
		b, err = json.Marshal(map[string]any{root: v})
	} else {
		w.Header().Set("Content-Type", "text/xml")
		b, err = xml.Marshal(v)
		b = append([]byte(xml.Header), b...)
	}
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(err.Error())
	}
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client is gone if this fails
}
