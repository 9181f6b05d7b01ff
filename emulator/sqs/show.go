package sqs

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

type messageOut struct {
	MessageID              string `json:"MessageId"`
	ReceiptHandle          string
	Body                   string
	MD5OfBody              string
	MD5OfMessageAttributes string               `json:",omitempty"`
	Attributes             map[string]string    `json:",omitempty"`
	MessageAttributes      map[string]attribute `json:",omitempty"`
}

// showAll returns messages as a receive answers them.
func (q *queue) showAll(messages []*message, in receiveIn) []messageOut {
	out := make([]messageOut, len(messages))
	for i, m := range messages {
		out[i] = q.show(m, in)
	}
	return out
}

func (q *queue) show(m *message, in receiveIn) messageOut {
	out := messageOut{MessageID: m.ID, Body: m.Body, MD5OfBody: m.bodyMD5(), ReceiptHandle: q.handleOf(m)}

	if names := slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames); len(names) > 0 {
		if slices.Contains(names, "All") {
			names = systemAttributes()
		}
		out.Attributes = make(map[string]string, len(names))
		for _, name := range names {
			if v := m.system(name); v != "" {
				out.Attributes[name] = v
			}
		}
	}

	for name, a := range m.Attributes {
		if wanted(in.MessageAttributeNames, name) {
			if out.MessageAttributes == nil {
				out.MessageAttributes = map[string]attribute{}
			}
			out.MessageAttributes[name] = a
		}
	}

	out.MD5OfMessageAttributes = md5Attributes(out.MessageAttributes)
	return out
}

// wanted reports whether names, which may end with .*, ask for an attribute.
func wanted(names []string, name string) bool {
	return slices.ContainsFunc(names, func(want string) bool {
		prefix, isPrefix := strings.CutSuffix(want, ".*")
		return want == "All" || want == ".*" || want == name || isPrefix && strings.HasPrefix(name, prefix)
	})
}

// receipt is what a receipt handle contains: which receive of which message it is
// of, and in which run of the emulator.
type receipt struct {
	message  string
	run      int64
	receives int
}

func (q *queue) handleOf(m *message) string {
	b := make([]byte, 0, 128)
	b = append(append(b, q.name...), ' ')
	b = append(append(b, m.ID...), ' ')
	b = append(strconv.AppendInt(b, q.run, 36), ' ')
	b = strconv.AppendInt(b, int64(m.receives), 10)
	return base64.StdEncoding.EncodeToString(b)
}

// handle reads a receipt handle of this queue.
func (q *queue) readHandle(text string) (receipt, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if parts := strings.Split(string(b), " "); err == nil && len(parts) == 4 && parts[0] == q.name {
		run, err := strconv.ParseInt(parts[2], 36, 64)
		n, nerr := strconv.Atoi(parts[3])
		if err == nil && nerr == nil {
			return receipt{parts[1], run, n}, nil
		}
	}
	return receipt{}, fail(404, "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", "The input receipt handle %q is not a valid receipt handle.", text)
}

// latest reports whether r is of the message's latest receive. Receives are not
// journalled, so one of an earlier run of the emulator counts as the latest until
// the message is received in this run.
func (q *queue) latest(r receipt, m *message) bool {
	return r.run == q.run && r.receives == m.receives || r.run != q.run && m.receives == 0
}
