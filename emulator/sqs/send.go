package sqs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

type sendIn struct {
	QueueURL                string `json:"QueueUrl"`
	ID                      string `json:"Id"` // in a batch
	MessageBody             string
	DelaySeconds            *int64
	MessageAttributes       map[string]attribute
	MessageSystemAttributes map[string]attribute
	MessageGroupID          string `json:"MessageGroupId"`
	MessageDeduplicationID  string `json:"MessageDeduplicationId"`
}

type sendOut struct {
	ID                           string `json:"Id,omitempty"`
	MessageID                    string `json:"MessageId"`
	MD5OfMessageBody             string
	MD5OfMessageAttributes       string `json:",omitempty"`
	MD5OfMessageSystemAttributes string `json:",omitempty"`
	SequenceNumber               string `json:",omitempty"`
}

func (s *Service) send(_ context.Context, in sendIn) (out sendOut, err error) {
	err = s.withQueue(in.QueueURL, func(q *queue) error {
		answers, failed, err := s.sendAll(q, []sendIn{in})
		if err != nil || failed[0] != nil {
			return cmp.Or(err, failed[0])
		}

		out = answers[0]
		return nil
	})
	return out, err
}

// Attribute is a message attribute.
type Attribute = attribute

// Deliver sends a message to the queue of an ARN, for another service of the
// emulator: it is checked as SendMessage's are, and journalled when Deliver
// returns.
func (s *Service) Deliver(ctx context.Context, queueARN, body, group string, attributes map[string]Attribute) error {
	name := queueARN[strings.LastIndexByte(queueARN, ':')+1:]
	_, err := s.send(ctx, sendIn{QueueURL: "/" + name, MessageBody: body, MessageGroupID: group, MessageAttributes: attributes})
	return err
}

type sendBatchIn struct {
	QueueURL string `json:"QueueUrl"`
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
		return out, refused("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxMessage, size)
	}

	out = batchOut[sendOut]{Successful: []sendOut{}, Failed: []batchError{}}
	err = s.withQueue(in.QueueURL, func(q *queue) error {
		for _, e := range in.Entries {
			if err := e.checkFIFO(q); err != nil {
				return err
			}
		}

		answers, failed, err := s.sendAll(q, in.Entries)
		for i, e := range in.Entries {
			if failed[i] != nil {
				out.Failed = append(out.Failed, failedEntry(e.ID, failed[i]))
				continue
			}
			answers[i].ID = e.ID
			out.Successful = append(out.Successful, answers[i])
		}
		return err
	})
	return out, err
}

// sendAll checks messages, journals and adds them. failed has the error of each
// that is refused; after an error that is returned none is added.
func (s *Service) sendAll(q *queue, in []sendIn) (answers []sendOut, failed []error, err error) {
	at := now()
	answers, failed = make([]sendOut, len(in)), make([]error, len(in))
	entries := make([]entry, 0, len(in))

	for i, e := range in {
		if failed[i] = e.check(q); failed[i] != nil {
			continue
		}

		m := s.newMessage(q, e, at)
		// A repeat is answered as the first was, and not sent again.
		if before, ok := q.dedup.get(q.entryOf(m).Key, at); ok {
			m.ID, m.Seq = before.ID, before.Seq
		} else {
			m.Seq = s.seq.Add(1)
			entries = append(entries, entry{Op: opSend, Queue: q.name, Message: m})
			// Remembered before the write, because a later entry of the same batch may be a repeat.
			q.remember(q.entryOf(m), at)
		}
		answers[i] = q.answer(m, e)
	}

	// With one write: of a batch that is answered nothing is lost.
	if err := s.write(entries...); err != nil {
		// Nothing was sent: a retry must not be taken for a repeat.
		for _, e := range entries {
			delete(q.dedup.byKey, q.entryOf(e.Message).Key)
		}
		return answers, failed, err
	}

	for _, e := range entries {
		q.add(e.Message, at)
	}
	q.rates.now(at).Sent += float64(len(entries))
	return answers, failed, nil
}

func (s *Service) newMessage(q *queue, in sendIn, at int64) *message {
	m := &message{
		ID: uuid.NewString(), Body: in.MessageBody, Attributes: in.MessageAttributes, Sent: at, Arrived: at,
		Group: in.MessageGroupID, Dedup: in.MessageDeduplicationID, Trace: in.MessageSystemAttributes["AWSTraceHeader"].StringValue,
	}

	switch {
	case q.fifo:
		m.Due = queueDelay
		if m.Dedup == "" {
			sum := sha256.Sum256([]byte(m.Body))
			m.Dedup = hex.EncodeToString(sum[:])
		}
	case in.DelaySeconds != nil:
		m.Due = at + *in.DelaySeconds*1000
	default:
		m.Due = at + q.set.delay*1000
	}

	return m
}

func (q *queue) answer(m *message, in sendIn) sendOut {
	out := sendOut{
		MessageID: m.ID, MD5OfMessageBody: m.bodyMD5(), MD5OfMessageAttributes: md5Attributes(m.Attributes),
		MD5OfMessageSystemAttributes: md5Attributes(in.MessageSystemAttributes),
	}

	if q.fifo {
		out.SequenceNumber = sequence(m.Seq)
	}
	return out
}

// size returns the bytes that AWS counts: the body, and each attribute's name,
// type and value.
func (in sendIn) size() int {
	n := len(in.MessageBody)
	for name, a := range in.MessageAttributes {
		n += len(name) + len(a.DataType) + len(a.StringValue) + len(a.BinaryValue)
	}
	return n
}

// checkFIFO refuses what fails a whole batch.
func (in sendIn) checkFIFO(q *queue) error {
	switch {
	case !q.fifo && in.MessageDeduplicationID != "":
		return invalidValue("MessageDeduplicationId", in.MessageDeduplicationID, "The request include parameter that is not valid for this queue type.")
	case q.fifo && in.MessageGroupID == "":
		return missing("MessageGroupId")
	case q.fifo && in.MessageDeduplicationID == "" && !q.set.contentDedup:
		return invalid("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	}
	return nil
}

func (in sendIn) check(q *queue) error {
	switch d := in.DelaySeconds; {
	case in.MessageBody == "":
		return missing("MessageBody")
	case in.size() > int(q.set.maxSize):
		return invalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.set.maxSize)
	case strings.ContainsFunc(in.MessageBody, forbidden) || !utf8.ValidString(in.MessageBody): // Deliver's may be any bytes
		return fail(400, "InvalidMessageContents", "InvalidMessageContents", allowedCharacters)
	case d != nil && (*d < 0 || *d > 900):
		return invalidValue("DelaySeconds", *d, "DelaySeconds must be >= 0 and <= 900.")
	case q.fifo && d != nil && *d != 0:
		return invalidValue("DelaySeconds", *d, "The request include parameter that is not valid for this queue type.")
	}

	for _, id := range [...][2]string{{"MessageGroupId", in.MessageGroupID}, {"MessageDeduplicationId", in.MessageDeduplicationID}} {
		if id[1] != "" && !fifoID.MatchString(id[1]) {
			return invalidValue(id[0], id[1], "%s can only include alphanumeric and punctuation characters. 1 to 128 in length.", id[0])
		}
	}

	for name, a := range in.MessageSystemAttributes {
		if name != "AWSTraceHeader" || a.DataType != "String" || a.StringValue == "" {
			return invalid("Message system attribute name '%s' is invalid, or it is no String.", name)
		}
	}
	return cmp.Or(in.checkFIFO(q), checkAttributes(in.MessageAttributes))
}
