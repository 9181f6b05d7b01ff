package notification

import (
	"log/slog"
	"regexp"
)

// phone is a number in E.164. It is masked when it is printed or logged; convert it
// to string to get the number itself.
type phone string

const e164 = `^\+[1-9][0-9]{6,14}$`

func (p phone) valid() bool { return regexp.MustCompile(e164).MatchString(string(p)) }

// String shows the country's first digits and the last two.
func (p phone) String() string {
	const shown = 3
	if len(p) < 2*shown {
		return "***"
	}
	return string(p[:shown]) + "***" + string(p[len(p)-2:])
}

// LogValue keeps the number out of structured logs, which do not call String.
func (p phone) LogValue() slog.Value { return slog.StringValue(p.String()) }
