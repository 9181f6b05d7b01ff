package sns

import (
	"encoding/base64"
	"fmt"
	"net/url"

	"github.com/google/uuid"

	"tandem/emulator/sqs"
)

// The query protocol flattens an input into a form: a list's entries are
// numbered from 1, as in Names.member.1, a map's as in Attributes.entry.1.key.

// pairs returns a map of texts.
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

// published returns a message that is to be published.
func published(form url.Values) (message, error) {
	m := message{
		id: uuid.NewString(), body: form.Get("Message"), subject: form.Get("Subject"), structure: form.Get("MessageStructure"),
		group: form.Get("MessageGroupId"), attributes: map[string]sqs.Attribute{},
	}

	for i := 1; ; i++ {
		at := fmt.Sprintf("MessageAttributes.entry.%d.", i)
		if !form.Has(at + "Name") {
			return m, m.check()
		}

		name := form.Get(at + "Name")
		binary, err := base64.StdEncoding.DecodeString(form.Get(at + "Value.BinaryValue"))
		if err != nil {
			return m, invalid("MessageAttributes Reason: the BinaryValue of %s is not base64", name)
		}

		if _, twice := m.attributes[name]; twice || name == "" {
			return m, invalid("MessageAttributes Reason: a name is empty or there twice")
		}

		a := sqs.Attribute{DataType: form.Get(at + "Value.DataType"), StringValue: form.Get(at + "Value.StringValue")}
		if len(binary) > 0 {
			a.BinaryValue = binary
		}
		m.attributes[name] = a
	}
}
