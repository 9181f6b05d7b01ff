package outbox

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// SQS's limits of a message.
const (
	// MaxSize is the largest message that SQS takes (1 MiB since August 2025): its
	// body, and the names, types and values of its attributes.
	MaxSize = 1 << 20
	// MaxAttributes is how many attributes a message has at most. Leave one free for
	// the reason, where a worker sends messages to a dead-letter queue with it.
	MaxAttributes = 10
	// MaxDelay is the longest delay; a message on a FIFO queue has none of its own.
	MaxDelay = 15 * time.Minute
)

// ErrTooLarge is returned by Add for a message over MaxSize.
var ErrTooLarge = errors.New("outbox: the message is larger than 1 MiB")

// ErrInvalid is returned by Add for any other message that SQS would refuse.
var ErrInvalid = errors.New("outbox: SQS would refuse the message")

var (
	queueName = regexp.MustCompile(`^([A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo)$`)
	groupID   = regexp.MustCompile("^[!-~]{1,128}$") // ASCII letters, digits and punctuation

	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-message-attributes
	attributeName     = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
	reservedAttribute = regexp.MustCompile(`(?i)^(AWS|Amazon)\.`)
)

const (
	attributeType    = "String"
	maxAttributeName = 256
)

// check returns why SQS would refuse m: such a row would never be sent, and the
// caller of Add is the one who can still do something about it.
func (m Message) check() error {
	if n := size(m.Body, m.Attributes); n > MaxSize {
		return fmt.Errorf("%w: %d bytes for %s", ErrTooLarge, n, m.Queue)
	}

	switch fifo := isFIFO(m.Queue); {
	case !queueName.MatchString(m.Queue):
		return invalid("%q is not a queue's name", m.Queue)
	case len(m.Body) == 0:
		return invalid("its body is empty")
	case fifo && !groupID.MatchString(m.Key):
		return invalid("key %q is not a message group: 1 to 128 letters, digits and punctuation", m.Key)
	case fifo && m.Delay != 0:
		return invalid("a message on a FIFO queue has no delay of its own")
	case m.Delay < 0 || m.Delay > MaxDelay:
		return invalid("a delay is 0 to %v, not %v", MaxDelay, m.Delay)
	}

	if at := notAllowed(string(m.Body)); at >= 0 {
		return invalid("its body has a character that SQS does not take at byte %d", at)
	}
	return checkAttributes(m.Attributes)
}

func checkAttributes(attributes map[string]string) error {
	if len(attributes) > MaxAttributes {
		return invalid("it has %d attributes; %d are allowed", len(attributes), MaxAttributes)
	}

	for name, value := range attributes {
		switch {
		case len(name) > maxAttributeName || !attributeName.MatchString(name):
			return invalid("%q is not an attribute's name: 1 to %d of A-Z a-z 0-9 _ - and single periods inside", name, maxAttributeName)
		case reservedAttribute.MatchString(name):
			return invalid("attribute %s has a prefix that AWS has reserved", name)
		case value == "":
			return invalid("attribute %s is empty", name)
		case notAllowed(value) >= 0:
			return invalid("attribute %s has a character that SQS does not take at byte %d", name, notAllowed(value))
		}
	}
	return nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// size is what a message counts towards SQS's limits of a message and of a call.
func size(body []byte, attributes map[string]string) int {
	n := len(body)
	for name, value := range attributes {
		n += len(name) + len(attributeType) + len(value)
	}
	return n
}

// notAllowed returns the index of the first byte that is not UTF-8 or belongs to a
// character that SQS does not take, or -1.
func notAllowed(s string) int {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) || !allowed(r) {
			return i
		}
	}
	return -1
}

// allowed reports whether SQS takes the character: those of XML 1.0.
func allowed(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r != 0xFFFE && r != 0xFFFF
}
