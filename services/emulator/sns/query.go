package sns

import (
	"encoding/base64"
	"fmt"
	"net/url"

	"github.com/google/uuid"

	"tandem/services/emulator/sqs"
)

// The query protocol flattens an input into a form: a list's entries are
// numbered from 1, as in Names.member.1, a map's as in Attributes.entry.1.key.

// pairs reads a map of texts.
func pairs(form url.Values, name string) map[string]string {
	out := map[string]string{}
	for i := 1; ; i++ {
		at := fmt.Sprintf("%s.entry.%d.", name, i)
		if !form.Has(at + "key") {
			return out
		}
		out[form.Get(at+"key")] = form.Get(at + "value")
	}
}

// attributes reads a map of message attributes.
func attributes(form url.Values, name string) (map[string]sqs.Attribute, error) {
	out := map[string]sqs.Attribute{}
	for i := 1; ; i++ {
		at := fmt.Sprintf("%s.entry.%d.", name, i)
		if !form.Has(at + "Name") {
			return out, nil
		}
		key := form.Get(at + "Name")
		binary, err := base64.StdEncoding.DecodeString(form.Get(at + "Value.BinaryValue"))
		if err != nil {
			return nil, invalid("MessageAttributes Reason: the BinaryValue of %s is not base64", key)
		}
		if _, twice := out[key]; twice || key == "" {
			return nil, invalid("MessageAttributes Reason: a name is empty or there twice")
		}
		a := sqs.Attribute{DataType: form.Get(at + "Value.DataType"), StringValue: form.Get(at + "Value.StringValue")}
		if len(binary) > 0 {
			a.BinaryValue = binary
		}
		out[key] = a
	}
}

// published reads a message whose fields' names begin with at.
func published(form url.Values, at string) (message, error) {
	a, err := attributes(form, at+"MessageAttributes")
	m := message{
		id: uuid.NewString(), body: form.Get(at + "Message"), subject: form.Get(at + "Subject"), structure: form.Get(at + "MessageStructure"),
		group: form.Get(at + "MessageGroupId"), attributes: a,
	}
	if err != nil {
		return m, err
	}
	return m, m.check()
}
