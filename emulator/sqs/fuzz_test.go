package sqs

import (
	"context"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/emulator/wire"
)

// FuzzDecodeFrame reads any bytes as a frame of entries: what can be read is
// written again the same way, and applying it to queues does not panic.
func FuzzDecodeFrame(f *testing.F) {
	m := &message{ID: "i", Body: "b", Attributes: map[string]attribute{"a": {DataType: "Binary", BinaryValue: []byte{0}}}, Group: "g", Dedup: "d", Sent: 1, Due: queueDelay, Seq: 7}
	for _, e := range []entry{
		{Op: opVersion, At: version}, {Op: opQueue, Queue: "r.fifo", Attributes: map[string]string{"DelaySeconds": "5"}},
		{Op: opSend, Queue: "q.fifo", Message: m}, {Op: opMove, Queue: "q.fifo", To: "q", ID: "i", Message: m}, {Op: opDelete, Queue: "q.fifo", IDs: []string{"i"}},
		{Op: opDedup, Queue: "q.fifo", Dedup: &dedupEntry{"d", "i", 7, 9}}, {Op: opTask, Task: &moveTask{taskOut: taskOut{Handle: "h", Status: "RUNNING"}}}, {Op: opPurge, Queue: "q"},
	} {
		f.Add(encode(e, e)[0])
	}

	f.Fuzz(func(t *testing.T, frame []byte) {
		s, err := Open(Options{})
		require.NoError(t, err)
		for _, name := range []string{"q", "q.fifo"} {
			require.NoError(t, s.replay(entry{Op: opQueue, Queue: name, At: 1}, 1))
		}

		err = decode(frame, func(e entry) error {
			raw := encode(e)
			require.NoError(t, decode(raw[0], func(again entry) error {
				require.Equal(t, string(raw[0]), string(encode(again)[0]))

				return nil
			}))
			return s.replay(e, 1)
		})
		if err != nil {
			require.ErrorIs(t, err, errEntry)
		}

		for _, q := range s.queues {
			sound(t, q)
		}
	})
}

// FuzzSettings sets an attribute to any text: it is refused by a name of AWS's,
// or works from then on.
func FuzzSettings(f *testing.F) {
	for name, v := range map[string]string{
		"RedrivePolicy": redriveTo("dead", "3"), "RedriveAllowPolicy": `{"redrivePermission":"byQueue","sourceQueueArns":["` + arn("q") + `"]}`,
		"Policy": `{"Statement":[]}`, "DelaySeconds": "900", "KmsMasterKeyId": "alias/x", "SqsManagedSseEnabled": "true", "DeduplicationScope": "queue",
	} {
		f.Add(name, v)
	}

	f.Add("RedrivePolicy", `{"deadLetterTargetArn":"arn:","maxReceiveCount":"1"}`)
	f.Fuzz(func(t *testing.T, name, value string) {
		c := open(t, Options{})
		c.queue("dead", nil)
		url := c.queue("q", nil)
		_, err := c.try("SetQueueAttributes", j{"QueueUrl": url, "Attributes": j{name: value}})
		refusedOrFine(t, err)
		c.send(url, "x", j{"DelaySeconds": 0})

		for range 3 {
			c.receive(url, j{"VisibilityTimeout": 0, "WaitTimeSeconds": 0})
		}
		c.attributes(url)

		for _, q := range c.s.queues {
			sound(t, q)
		}
	})
}

func refusedOrFine(t *testing.T, err error) {
	var e *wire.Error
	if err != nil {
		require.ErrorAs(t, err, &e)
		require.True(t, e.Query != "" || e.Code == "SerializationException", e.Code) // the latter is wire's
		require.Less(t, e.Status, 500)
	}
}

// FuzzReceiptHandle uses any text as a handle: no message but its own goes.
func FuzzReceiptHandle(f *testing.F) {
	f.Add("q.fifo a 1 1")
	f.Add("q.fifo  zzz 99999999999999999999")
	f.Add("q a b")
	f.Fuzz(func(t *testing.T, handle string) {
		c := open(t, Options{})
		url := c.queue("q.fifo", j{"ContentBasedDeduplication": "true"})
		c.send(url, "x", to("g"))
		require.Len(t, c.receive(url), 1)

		for _, h := range []string{handle, base64.StdEncoding.EncodeToString([]byte(handle))} {
			for _, op := range []string{"DeleteMessage", "ChangeMessageVisibility"} {
				_, err := c.try(op, j{"QueueUrl": url, "ReceiptHandle": h, "VisibilityTimeout": 0})
				refusedOrFine(t, err)
			}
		}
		require.Equal(t, 1, c.s.queues["q.fifo"].inFlight)
		sound(t, c.s.queues["q.fifo"])
	})
}

// FuzzBatch sends any body to the batch operations.
func FuzzBatch(f *testing.F) {
	f.Add("SendMessageBatch", []byte(`{"QueueUrl":"/q","Entries":[{"Id":"1","MessageBody":"x","DelaySeconds":0,"MessageAttributes":{"a":{"DataType":"String","StringValue":"v"}}}]}`))
	f.Add("SendMessageBatch", []byte(`{"QueueUrl":"/q.fifo","Entries":[{"Id":"1","MessageBody":"x","MessageGroupId":"g","MessageDeduplicationId":"d"},{"Id":"2","MessageBody":"x","MessageGroupId":"g","MessageDeduplicationId":"d"}]}`))
	f.Add("DeleteMessageBatch", []byte(`{"QueueUrl":"/q","Entries":[{"Id":"1","ReceiptHandle":"cSBhIDEgMQ=="}]}`))
	f.Add("ChangeMessageVisibilityBatch", []byte(`{"QueueUrl":"/q","Entries":[{"Id":"1","ReceiptHandle":"cSBhIDEgMQ==","VisibilityTimeout":0}]}`))
	f.Add("ReceiveMessage", []byte(`{"QueueUrl":"/q.fifo","MaxNumberOfMessages":10,"AttributeNames":["All"]}`))
	c := open(f, Options{})
	c.queue("q", j{"VisibilityTimeout": "0"})
	c.queue("q.fifo", nil)
	f.Fuzz(func(t *testing.T, op string, body []byte) {
		run, ok := c.ops[op]

		if !ok {
			return
		}
		if op == "CreateQueue" || op == "DeleteQueue" {
			return // or there would be nothing to send to
		}

		ctx, cancel := context.WithCancel(t.Context())
		cancel() // a long poll would wait, rightly
		_, err := run(ctx, body)
		refusedOrFine(t, err)

		for _, q := range c.s.queues {
			q.clear(now())
			sound(t, q)
		}
	})
}
