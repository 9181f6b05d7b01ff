package sqs

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tandem/services/emulator/wire"
)

const (
	maxMessage  = 1 << 20 // bytes, since August 2025
	maxEntries  = 10
	dedupWindow = 5 * 60 * 1000 // ms
)

type sendIn struct {
	QueueUrl                string //nolint:revive // the wire's name
	ID                      string `json:"Id"` // in a batch
	MessageBody             string
	DelaySeconds            *int64
	MessageAttributes       map[string]attribute
	MessageSystemAttributes map[string]attribute
	MessageGroupID          string `json:"MessageGroupId"`
	MessageDeduplicationID  string `json:"MessageDeduplicationId"`
}

type sendOut struct {
	ID                     string `json:"Id,omitempty"`
	MessageID              string `json:"MessageId"`
	MD5OfMessageBody       string
	MD5OfMessageAttributes string `json:",omitempty"`
	SequenceNumber         string `json:",omitempty"`
}

type batchError struct {
	ID          string `json:"Id"`
	Code        string
	Message     string
	SenderFault bool
}

type batchOut[T any] struct {
	Successful []T
	Failed     []batchError
}

func (s *Service) send(_ context.Context, in sendIn) (out sendOut, err error) {
	err = s.do(func() error {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return err
		}
		m, repeat, err := s.prepare(q, in)
		if err != nil {
			return err
		}
		if !repeat {
			if err := s.write(entry{Op: "send", Queue: q.name, Message: m}); err != nil {
				return err
			}
			s.accept(q, m)
		}
		out = answerSend(q, m)
		return nil
	})
	return out, err
}

type sendBatchIn struct {
	QueueUrl string //nolint:revive // the wire's name
	Entries  []sendIn
}

func (s *Service) sendBatch(_ context.Context, in sendBatchIn) (out batchOut[sendOut], err error) {
	ids, size := make([]string, len(in.Entries)), 0
	for i, e := range in.Entries {
		ids[i] = e.ID
		size += e.size()
	}
	if err := checkBatch(ids); err != nil {
		return out, err
	}
	if size > maxMessage {
		return out, &wire.Error{Status: 400, Code: "BatchRequestTooLong", Query: "AWS.SimpleQueueService.BatchRequestTooLong",
			Message: fmt.Sprintf("Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxMessage, size)}
	}
	out = batchOut[sendOut]{Successful: []sendOut{}, Failed: []batchError{}}
	err = s.do(func() error {
		q, err := s.find(in.QueueUrl)
		if err != nil {
			return err
		}
		var entries []entry
		for _, e := range in.Entries {
			m, repeat, err := s.prepare(q, e)
			if err != nil {
				out.Failed = append(out.Failed, failedEntry(e.ID, err))
				continue
			}
			if !repeat {
				entries = append(entries, entry{Op: "send", Queue: q.name, Message: m})
				q.remember(m) // a second entry of the same batch is a repeat
			}
			answer := answerSend(q, m)
			answer.ID = e.ID
			out.Successful = append(out.Successful, answer)
		}
		if err := s.write(entries...); err != nil {
			for _, e := range entries {
				delete(q.dedup, q.dedupKey(e.Message)) // else a retry would be taken for a repeat
			}
			return err
		}
		for _, e := range entries {
			s.accept(q, e.Message)
		}
		return nil
	})
	return out, err
}

func failedEntry(id string, err error) batchError {
	e := batchError{ID: id, Code: "InternalError", Message: err.Error()}
	if w, ok := err.(*wire.Error); ok { //nolint:errorlint // prepare returns it unwrapped
		e.Code, e.Message, e.SenderFault = w.Code, w.Message, true
	}
	return e
}

// checkBatch checks a batch's entry ids.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
func checkBatch(ids []string) error {
	fail := func(code, text string) error {
		return &wire.Error{Status: 400, Code: code, Query: "AWS.SimpleQueueService." + code, Message: text}
	}
	switch {
	case len(ids) == 0:
		return fail("EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request.")
	case len(ids) > maxEntries:
		return fail("TooManyEntriesInBatchRequest", fmt.Sprintf("Maximum number of entries per request are %d. You have sent %d.", maxEntries, len(ids)))
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if !entryName(id) {
			return fail("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		if seen[id] {
			return fail("BatchEntryIdsNotDistinct", "Id "+id+" repeated.")
		}
		seen[id] = true
	}
	return nil
}

func entryName(id string) bool {
	return id != "" && len(id) <= 80 && !strings.ContainsFunc(id, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
	})
}

// prepare checks one message; repeat says that it was taken before.
func (s *Service) prepare(q *queue, in sendIn) (m *message, repeat bool, err error) {
	if err := checkMessage(q, in); err != nil {
		return nil, false, err
	}
	at := now()
	m = &message{
		ID: uuid.NewString(), Body: in.MessageBody, Attributes: in.MessageAttributes, Sent: at, VisibleAt: at,
		Group: in.MessageGroupID, Dedup: in.MessageDeduplicationID, Trace: in.MessageSystemAttributes["AWSTraceHeader"].StringValue,
	}
	delay := q.number("DelaySeconds")
	if in.DelaySeconds != nil && !q.isFIFO() {
		delay = *in.DelaySeconds
	}
	m.VisibleAt += delay * 1000
	if q.isFIFO() {
		if m.Dedup == "" {
			sum := sha256.Sum256([]byte(m.Body))
			m.Dedup = hex.EncodeToString(sum[:])
		}
		if before, ok := q.dedup[q.dedupKey(m)]; ok && before.Until > at {
			m.ID, m.Seq = before.ID, before.Seq
			return m, true, nil
		}
	}
	s.seq++
	m.Seq = s.seq
	return m, false, nil
}

// size counts as AWS does: the body, and each attribute's name, type and value.
func (in sendIn) size() int {
	n := len(in.MessageBody)
	for name, a := range in.MessageAttributes {
		n += len(name) + len(a.DataType) + len(a.StringValue) + len(a.BinaryValue)
	}
	return n
}

// forbidden says whether a message may not hold r.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func forbidden(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

func checkMessage(q *queue, in sendIn) error {
	for name, a := range in.MessageAttributes {
		if name == "" || a.DataType == "" {
			return wire.Bad("InvalidParameterValue", "The message attribute '%s' must contain a non-empty name and type.", name)
		}
	}
	limit := int(q.number("MaximumMessageSize"))
	switch {
	case in.MessageBody == "":
		return wire.Bad("MissingParameter", "The request must contain the parameter MessageBody.")
	case in.size() > limit:
		return wire.Bad("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", limit)
	case strings.ContainsFunc(in.MessageBody, forbidden):
		return wire.Bad("InvalidMessageContents", "Invalid binary character was found in the message body.")
	case len(in.MessageAttributes) > 10:
		return wire.Bad("InvalidParameterValue", "Number of message attributes exceeds the allowed maximum of 10.")
	case in.DelaySeconds != nil && (*in.DelaySeconds < 0 || *in.DelaySeconds > 900):
		return wire.Bad("InvalidParameterValue", "Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.", *in.DelaySeconds)
	case q.isFIFO() && in.MessageGroupID == "":
		return wire.Bad("MissingParameter", "The request must contain the parameter MessageGroupId.")
	case q.isFIFO() && in.MessageDeduplicationID == "" && q.attributes["ContentBasedDeduplication"] != "true":
		return wire.Bad("InvalidParameterValue", "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	case q.isFIFO() && in.DelaySeconds != nil && *in.DelaySeconds != 0:
		return wire.Bad("InvalidParameterValue", "Value %d for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.", *in.DelaySeconds)
	}
	return nil
}

func (q *queue) dedupKey(m *message) string {
	if q.attributes["DeduplicationScope"] == "messageGroup" {
		return m.Group + "\x00" + m.Dedup
	}
	return m.Dedup
}

// remember keeps a FIFO message's deduplication id for five minutes.
func (q *queue) remember(m *message) {
	if !q.isFIFO() {
		return
	}
	at := now()
	if len(q.dedup) > 10_000 {
		maps.DeleteFunc(q.dedup, func(_ string, e dedupEntry) bool { return e.Until <= at })
	}
	key := q.dedupKey(m)
	q.dedup[key] = dedupEntry{key, m.ID, m.Seq, m.Sent + dedupWindow}
}

func (s *Service) accept(q *queue, m *message) {
	q.remember(m)
	q.add(m, now())
}

func answerSend(q *queue, m *message) sendOut {
	out := sendOut{MessageID: m.ID, MD5OfMessageBody: md5Hex([]byte(m.Body)), MD5OfMessageAttributes: md5Attributes(m.Attributes)}
	if q.isFIFO() {
		out.SequenceNumber = sequence(m.Seq)
	}
	return out
}

// sequence is 20 digits, as AWS's are.
func sequence(seq uint64) string { return fmt.Sprintf("1%019d", seq) }

func md5Hex(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

// md5Attributes is the digest that the SDKs check.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func md5Attributes(attributes map[string]attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	var b []byte
	add := func(part []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		add([]byte(name))
		add([]byte(a.DataType))
		if strings.HasPrefix(a.DataType, "Binary") {
			b = append(b, 2)
			add(a.BinaryValue)
		} else {
			b = append(b, 1)
			add([]byte(a.StringValue))
		}
	}
	return md5Hex(b)
}
