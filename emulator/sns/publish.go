package sns

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"tandem/emulator/sqs"
	"tandem/emulator/wire"
)

const (
	// A message with its attributes.
	// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
	maxMessage = 256 << 10 // bytes
	maxSubject = 100       // characters
	maxText    = 1600      // characters of an SMS
)

// message is what is published.
type message struct {
	id, body, subject, structure, group string
	attributes                          map[string]sqs.Attribute
}

// phone is E.164.
var phone = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

func (m message) size() int {
	n := len(m.body)
	for name, a := range m.attributes {
		n += len(name) + len(a.DataType) + len(a.StringValue) + len(a.BinaryValue)
	}
	return n
}

func (m message) check() error {
	switch {
	case m.body == "":
		return invalid("Empty message")
	case !utf8.ValidString(m.body):
		return invalid("Message Reason: it is no UTF-8")
	case m.size() > maxMessage:
		return invalid("Message too long")
	case utf8.RuneCountInString(m.subject) > maxSubject || strings.ContainsFunc(m.subject, func(r rune) bool { return r < ' ' }):
		return invalid("Subject")
	case m.structure != "" && m.structure != "json":
		return invalid("MessageStructure")
	}

	for name, a := range m.attributes {
		kind, _, _ := strings.Cut(a.DataType, ".")
		switch {
		case kind != "String" && kind != "Number" && kind != "Binary":
			return wire.Bad("ParameterValueInvalid", "The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
		case !utf8.ValidString(name + a.DataType + a.StringValue):
			return wire.Bad("ParameterValueInvalid", "The message attribute %q is no UTF-8.", name)
		case kind == "Binary" && len(a.BinaryValue) == 0 || kind != "Binary" && a.StringValue == "":
			return wire.Bad("ParameterValueInvalid", "The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, a.DataType)
		}
	}

	// A body that has no text for the queues is refused now, not at the delivery.
	_, err := m.bodyFor("sqs")
	return err
}

// bodyFor returns the text for a protocol: with the structure json the body has one
// for each protocol, and a default.
func (m message) bodyFor(protocol string) (string, error) {
	if m.structure == "" {
		return m.body, nil
	}

	var each map[string]any
	if err := json.Unmarshal([]byte(m.body), &each); err != nil {
		return "", invalid("Message Structure - JSON message body failed to parse")
	}

	fallback, ok := each["default"].(string)
	if !ok {
		return "", invalid("Message Structure - No default entry in JSON message body")
	}

	if own, ok := each[protocol].(string); ok {
		return own, nil
	}
	return fallback, nil
}

// text sends an SMS: it is kept, to be looked at.
func (s *Service) text(to string, m message) error {
	body, err := m.bodyFor("sms")
	switch {
	case err != nil:
		return err
	case !phone.MatchString(to):
		return invalid("PhoneNumber Reason: %s is not valid to publish to", to)
	case utf8.RuneCountInString(body) > maxText:
		return invalid("Message too long")
	}

	s.keep(SMS{PhoneNumber: to, MessageID: m.id, Message: m.body, Attributes: m.attributes, Structure: optional(m.structure), Subject: optional(m.subject)})
	return nil
}

// toTopic delivers a message to all who subscribed when it was published. It
// returns when every queue has its copy.
func (s *Service) toTopic(ctx context.Context, t topic, m message) error {
	body, err := m.bodyFor("sqs")
	if err != nil {
		return err
	}

	for _, sub := range t.Subscriptions {
		text, attributes := body, m.attributes
		if !sub.Raw {
			text, attributes = envelope(t, sub, m, body), nil
		}

		err := s.o.Deliver(ctx, sub.Endpoint, text, m.group, attributes)

		// SNS does not try again what a queue refuses: the others get their copies.
		var refused *wire.Error
		if errors.As(err, &refused) && refused.Status < http.StatusInternalServerError {
			s.o.Log.Warn("a subscription's copy is lost", "subscription", sub.ARN, "queue", sub.Endpoint, "err", err)
			continue
		}

		// The publisher is to try again. The queues before this one then get a second
		// copy, as SNS may deliver twice.
		if err != nil {
			return err
		}
	}
	return nil
}

// envelope returns what a queue receives without raw delivery. The signature is
// none: who checks it refuses the message.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
func envelope(t topic, sub subscription, m message, body string) string {
	type value struct{ Type, Value string }
	e := struct {
		Type                        string
		MessageID                   string `json:"MessageId"`
		TopicArn                    string
		Subject                     string `json:",omitempty"`
		Message                     string
		Timestamp, SignatureVersion string
		Signature, SigningCertURL   string
		UnsubscribeURL              string
		MessageAttributes           map[string]value `json:",omitempty"`
	}{
		Type: "Notification", MessageID: m.id, TopicArn: t.arn(), Subject: m.subject, Message: body,
		Timestamp: time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), SignatureVersion: "1", Signature: "EMULATOR",
		SigningCertURL:    "https://sns." + region + ".amazonaws.com/none.pem",
		UnsubscribeURL:    "https://sns." + region + ".amazonaws.com/?Action=Unsubscribe&SubscriptionArn=" + sub.ARN,
		MessageAttributes: map[string]value{},
	}

	for name, a := range m.attributes {
		v := a.StringValue
		if len(a.BinaryValue) > 0 {
			// As JSON bytes are base64 in quotes.
			b, _ := json.Marshal(a.BinaryValue)
			v = strings.Trim(string(b), `"`)
		}
		e.MessageAttributes[name] = value{a.DataType, v}
	}

	b, _ := json.Marshal(e) // of texts: cannot fail
	return string(b)
}
