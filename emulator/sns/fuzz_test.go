package sns_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/emulator/sns"
	"tandem/emulator/sqs"
)

// FuzzQuery sends any form to a service with a topic and a subscription: it
// answers well-formed XML, and never that it failed itself.
func FuzzQuery(f *testing.F) {
	const topic = "TopicArn=arn:aws:sns:us-east-1:000000000000:work"
	for _, form := range []string{
		"Action=Publish&Message=x&" + topic + "&MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.DataType=Binary&MessageAttributes.entry.1.Value.BinaryValue=AP8=",
		"Action=Publish&Message=x&PhoneNumber=%2B15551234567&MessageStructure=json&Subject=s",
		"Action=CreateTopic&Name=t&Attributes.entry.1.key=DisplayName&Attributes.entry.1.value=d",
		"Action=Subscribe&Protocol=sqs&Endpoint=arn:aws:sqs:us-east-1:000000000000:q2&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=true&" + topic,
		"Action=ListTopics", "Action=Unsubscribe&SubscriptionArn=x", "Action=%00",
	} {
		f.Add(form)
	}

	deliver := func(context.Context, string, string, string, map[string]sqs.Attribute) error { return nil }
	s, err := sns.Open(sns.Options{Log: slog.New(slog.DiscardHandler), Deliver: deliver})
	require.NoError(f, err)
	_, err = s.CreateTopic("work", nil)
	require.NoError(f, err)

	_, err = s.Subscribe("arn:aws:sns:us-east-1:000000000000:work", "sqs", "arn:aws:sqs:us-east-1:000000000000:q", nil)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, form string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		_ = r.ParseForm() // the form has what could be read
		w := httptest.NewRecorder()
		s.Serve(w, r)
		require.Less(t, w.Code, http.StatusInternalServerError, w.Body.String())

		for d := xml.NewDecoder(w.Body); ; {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
		}
	})
}
