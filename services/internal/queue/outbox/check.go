package outbox

import (
	"errors"
	"fmt"
	"regexp"
	"time"
	"unicode/utf8"
)

// SQS's limits of a message.
const (
	// MaxBody is the largest message that SQS takes (1 MiB since August 2025).
	MaxBody = 1 << 20
	// MaxDelay is the longest delay; a message on a FIFO queue has none of its own.
	MaxDelay = 15 * time.Minute
)

// ErrTooLarge is returned by Add for a body over MaxBody.
var ErrTooLarge = errors.New("outbox: the message is larger than 1 MiB")

// ErrInvalid is returned by Add for any other message that SQS would refuse.
var ErrInvalid = errors.New("outbox: SQS would refuse the message")

var (
	queueName = regexp.MustCompile(`^([A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo)$`)
	groupID   = regexp.MustCompile("^[!-~]{1,128}$") // ASCII letters, digits and punctuation
)

// check returns why SQS would refuse m: such a row would never be sent, and the
// caller of Add is the one who can still do something about it.
func (m Message) check() error {
	if len(m.Body) > MaxBody {
		return fmt.Errorf("%w: %d bytes for %s", ErrTooLarge, len(m.Body), m.Queue)
	}

	invalid := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
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

	for i := 0; i < len(m.Body); {
		r, size := utf8.DecodeRune(m.Body[i:])
		if r == utf8.RuneError && size == 1 || !allowed(r) {
			return invalid("its body has the character %q at byte %d", m.Body[i:i+size], i)
		}
		i += size
	}
	return nil
}

// allowed reports whether SQS takes the character: those of XML 1.0.
func allowed(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r != 0xFFFE && r != 0xFFFF
}
