package sqs

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// peek asks as a client does, and replaces what differs from run to run.
func (c client) peek(parameters ...string) (status int, body string) {
	q := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		q.Set(parameters[i], parameters[i+1])
	}

	r := httptest.NewRequest(http.MethodGet, "/_aws/sqs/messages?"+q.Encode(), nil)
	w := httptest.NewRecorder()
	c.s.ServePeek(w, r)
	body = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`).ReplaceAllString(w.Body.String(), "ID")
	return w.Code, strings.ReplaceAll(body, "946684800000", "NOW")
}

// The shapes are what LocalStack 4.14.0 answered to the same calls with Accept:
// application/json.
func TestPeekIsAsLocalStacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		c.queue("q", nil)
		json := func(parameters ...string) string {
			status, body := c.peek(append(parameters, "QueueUrl", "http://x/000000000000/q")...)
			require.Equal(t, http.StatusOK, status)

			return body
		}
		const meta = `"ResponseMetadata":{"RequestId":"ID"}}}`
		require.JSONEq(t, `{"ReceiveMessageResponse":{"ReceiveMessageResult":null,`+meta, json())

		c.send("/q", "one")
		system := func(count, first, more string) string {
			return `"Attribute":[{"Name":"SenderId","Value":"000000000000"},{"Name":"SentTimestamp","Value":"NOW"},{"Name":"ApproximateReceiveCount","Value":"` + count +
				`"},{"Name":"ApproximateFirstReceiveTimestamp","Value":"` + first + `"}` + more + `]`
		}

		message := func(body, rest string) string {
			return `{"MessageId":"ID","MD5OfBody":"` + md5Hex([]byte(body)) + `","Body":"` + body + `",` + rest + `,"ReceiptHandle":"SQS/BACKDOOR/ACCESS"}`
		}
		require.JSONEq(t, `{"ReceiveMessageResponse":{"ReceiveMessageResult":{"Message":`+message("one", system("0", "0", ""))+`},`+meta, json())

		c.send("/q", "two", j{"MessageAttributes": j{"a": j{"DataType": "String", "StringValue": "x"}, "b": j{"DataType": "Binary", "BinaryValue": []byte("\x00y")}}})
		c.send("/q", "later", j{"DelaySeconds": 600})
		require.Equal(t, "one", bodies(c.receive("/q", j{"MaxNumberOfMessages": 1})))
		attributes := `,"MD5OfMessageAttributes":"30a8d4756b4d35170982be7fe84990e9","MessageAttribute":[{"Name":"a","Value":{"StringValue":"x","DataType":"String"}},{"Name":"b","Value":{"BinaryValue":"AHk=","DataType":"Binary"}}]`
		seen := func(visible, delayed string) string {
			return `,{"Name":"IsVisible","Value":"` + visible + `"},{"Name":"IsDelayed","Value":"` + delayed + `"}`
		}
		require.JSONEq(t, `{"ReceiveMessageResponse":{"ReceiveMessageResult":{"Message":`+message("two", system("0", "0", "")+attributes)+`},`+meta, json())
		require.JSONEq(t, `{"ReceiveMessageResponse":{"ReceiveMessageResult":{"Message":[`+message("one", system("1", "NOW", seen("false", "false")))+`,`+
			message("two", system("0", "0", seen("true", "false"))+attributes)+`,`+message("later", system("0", "0", seen("true", "true")))+`]},`+meta,
			json("ShowInvisible", "true", "ShowDelayed", "1"))

		status, body := c.peek("QueueUrl", "/none")
		require.Equal(t, http.StatusBadRequest, status)
		require.JSONEq(t, `{"ErrorResponse":{"Error":{"Code":"AWS.SimpleQueueService.NonExistentQueue","Message":"The specified queue does not exist.","Type":"Sender"},"RequestId":"ID"}}`, body)
	})
}

func TestPeekShowsALockedGroupAsInvisible(t *testing.T) {
	c := memory(t, Options{})
	url := c.queue("q.fifo", j{"ContentBasedDeduplication": "true"})
	c.send(url, "first", to("g"))
	c.send(url, "second", to("g"))
	c.receive(url, j{"MaxNumberOfMessages": 1})
	_, body := c.peek("QueueUrl", url)
	require.Contains(t, body, `"ReceiveMessageResult":null`)

	_, body = c.peek("QueueUrl", url, "ShowInvisible", "1")
	require.Contains(t, body, "first")
	require.Contains(t, body, "second")
}

func TestLookTouchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, Options{})
		c.queue("a", nil)
		url := c.queue("q.fifo", j{"ContentBasedDeduplication": "true"})
		sent := time.Now().UnixMilli()

		for _, b := range []string{"1", "2", "3"} {
			c.send(url, b, to("g"))
		}
		m := c.receive(url, j{"MaxNumberOfMessages": 1, "VisibilityTimeout": 60})[0]
		c.remove(url, m)
		c.receive(url, j{"MaxNumberOfMessages": 1, "VisibilityTimeout": 60})
		c.receive(url)
		time.Sleep(2 * time.Second)
		c.send(url, "4", to("h"))

		looks := c.s.Look()
		require.Equal(t, looks, c.s.Look())
		require.Equal(t, Look{Name: "a", Messages: []LookMessage{}}, looks[0])
		got := looks[1]
		ids := []string{got.Messages[0].ID, got.Messages[1].ID, got.Messages[2].ID}
		require.Equal(t, Look{
			Name: "q.fifo", Visible: 2, InFlight: 1, OldestAge: 2000, EmptyReceives: 1,
			Rates: Rates{Sent: 0.3, Received: 0.2, Deleted: 0.1, EmptyReceives: 0.1},
			Messages: []LookMessage{
				{ID: ids[0], State: "visible", Group: "h", SentAt: sent + 2000},
				{ID: ids[1], State: "waiting", Group: "g", SentAt: sent},
				{ID: ids[2], State: "in_flight", VisibleIn: 58_000, Receives: 1, Group: "g", SentAt: sent},
			},
		}, got)

		time.Sleep(12 * time.Second)
		require.Equal(t, Rates{}, c.s.Look()[1].Rates)
		c.do("SetQueueAttributes", j{"QueueUrl": "/a", "Attributes": j{"DelaySeconds": "9"}})
		for range 150 {
			c.send("/a", "x")
		}

		a := c.s.Look()[0]
		require.Len(t, a.Messages, 100)
		require.Equal(t, 150, a.Delayed)
		require.Equal(t, "delayed", a.Messages[0].State)
		require.EqualValues(t, 9000, a.Messages[0].VisibleIn)
	})
}
