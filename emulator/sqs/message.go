package sqs

import (
	"container/list"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// message is one message of a queue. The exported fields are journalled and
// never change; its queue's lock guards the others.
type message struct {
	ID, Body   string
	Attributes map[string]attribute `json:",omitempty"`
	Group      string               `json:",omitempty"`
	Dedup      string               `json:",omitempty"`
	Trace      string               `json:",omitempty"` // AWSTraceHeader
	Sent       int64                // ms; a standard dead-letter queue keeps it
	Arrived    int64                // ms; in this queue
	Due        int64                // ms; when its delay ends, or queueDelay
	Seq        uint64
	Source     string `json:",omitempty"` // ARN of the queue that it is a dead letter of
	Received   int    `json:",omitempty"` // how often on the queues before this one

	receives      int // on this queue, in this run of the emulator
	firstReceived int64
	receivedAt    int64 // the latest receive
	visibleAt     int64 // in hidden: when it is visible (again)
	inFlight      bool
	md5           string

	heap    *messageHeap // the heap that it is in, at index; or nil
	index   int
	inQueue *list.Element
	inGroup *list.Element // FIFO
}

// queueDelay as Due means that the queue's DelaySeconds applies, whatever it is by
// now. It is so on FIFO queues.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html
const queueDelay = -1

type attribute struct {
	DataType    string
	StringValue string `json:",omitempty"`
	BinaryValue []byte `json:",omitempty"`
}

func (m *message) bodyMD5() string {
	if m.md5 == "" {
		m.md5 = md5Hex([]byte(m.Body))
	}
	return m.md5
}

func md5Hex(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

// md5Attributes returns the digest of attributes that SQS answers, and that some SDKs check.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
func md5Attributes(attributes map[string]attribute) string {
	if len(attributes) == 0 {
		return ""
	}

	var b []byte
	add := func(part string) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}

	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		add(name)
		add(a.DataType)
		if strings.HasPrefix(a.DataType, "Binary") {
			b = append(b, 2)
			add(string(a.BinaryValue))
		} else {
			b = append(b, 1)
			add(a.StringValue)
		}
	}
	return md5Hex(b)
}

// sequence is 20 digits, as AWS's are.
func sequence(seq uint64) string { return fmt.Sprintf("1%019d", seq) }

// systemAttributes are the names that a receive may ask for, in LocalStack's
// order.
func systemAttributes() []string {
	return []string{"SenderId", "SentTimestamp", "MessageGroupId", "MessageDeduplicationId", "SequenceNumber", "AWSTraceHeader",
		"DeadLetterQueueSourceArn", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"}
}

// system returns one of them, or "".
func (m *message) system(name string) string {
	switch name {
	case "SenderId":
		return account
	case "SentTimestamp":
		return strconv.FormatInt(m.Sent, 10)
	case "MessageGroupId":
		return m.Group
	case "MessageDeduplicationId":
		return m.Dedup
	case "SequenceNumber":
		if m.Dedup != "" {
			return sequence(m.Seq)
		}
	case "AWSTraceHeader":
		return m.Trace
	case "DeadLetterQueueSourceArn":
		return m.Source
	case "ApproximateReceiveCount": // "across all queues"
		return strconv.Itoa(m.Received + m.receives)
	case "ApproximateFirstReceiveTimestamp":
		return strconv.FormatInt(m.firstReceived, 10)
	}
	return ""
}

// forbidden reports whether a message may not contain r.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func forbidden(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

const allowedCharacters = "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"

var (
	attributeName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
	attributeType = regexp.MustCompile(`^(String|Number|Binary)(\..*)?$`)
	fifoID        = regexp.MustCompile("^[0-9A-Za-z!\"#$%&'()*+,./:;<=>?@\\[\\\\\\]^_`{|}~-]{1,128}$")
)

// checkAttributes refuses message attributes that AWS refuses.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func checkAttributes(attributes map[string]attribute) error {
	if len(attributes) > 10 {
		return invalid("Number of message attributes [%d] exceeds the allowed maximum [10].", len(attributes))
	}

	for name, a := range attributes {
		lower := strings.ToLower(name)
		switch {
		case len(name) > 256 || len(a.DataType) > 256:
			return invalid("Message (user) attribute names and types must be shorter than 256 Bytes")
		case strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
			return invalid("You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use.")
		case !attributeName.MatchString(name):
			return invalid("Message (user) attributes name can only contain upper and lower score characters, digits, periods, hyphens and underscores. They cannot start or end with '.'.")
		case !attributeType.MatchString(a.DataType):
			return invalid("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
		}

		if err := a.checkValue(name); err != nil {
			return err
		}
	}
	return nil
}

func (a attribute) checkValue(name string) error {
	kind, _, _ := strings.Cut(a.DataType, ".")
	if kind == "Binary" && len(a.BinaryValue) == 0 || kind != "Binary" && a.StringValue == "" {
		return invalid("Message (user) attribute '%s' must contain a non-empty value of type '%s'.", name, kind)
	}

	if _, err := strconv.ParseFloat(a.StringValue, 64); kind == "Number" && err != nil {
		return invalid("Can't cast the value of message (user) attribute '%s' to a number.", name)
	}
	if strings.ContainsFunc(a.StringValue, forbidden) {
		return invalid(allowedCharacters)
	}
	return nil
}
