package sqs

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/emulator/wire"
)

// j is an operation's input or output.
type j = map[string]any

// client calls a service's operations as the wire does.
type client struct {
	t   require.TestingT
	s   *Service
	ops map[string]wire.Op
}

func open(t require.TestingT, o Options) client {
	s, err := Open(o)
	require.NoError(t, err)
	return client{t, s, s.Ops(func(context.Context) string { return "http://sqs" })}
}

func memory(t *testing.T, o Options) client {
	c := open(t, o)
	t.Cleanup(func() { _ = c.s.Close() })
	return c
}

func (c client) try(op string, in j) (j, error) {
	body, err := json.Marshal(in)
	require.NoError(c.t, err)
	out, err := c.ops[op](context.Background(), body)
	if err != nil {
		return nil, err
	}

	b, err := json.Marshal(out)
	require.NoError(c.t, err)
	var got j
	require.NoError(c.t, json.Unmarshal(b, &got))

	return got, nil
}

func (c client) do(op string, in j) j {
	out, err := c.try(op, in)
	require.NoError(c.t, err, op)
	return out
}

// refuses requires an error of this query code whose message contains text.
func (c client) refuses(code, text, op string, in j) {
	_, err := c.try(op, in)
	var e *wire.Error
	require.ErrorAs(c.t, err, &e, "%s of %v", op, in)
	require.Equal(c.t, code, strings.TrimPrefix(e.Query, queryPrefix), e.Message)
	require.Contains(c.t, e.Message, text)
}

// queue creates a queue and returns its URL.
func (c client) queue(name string, attributes j) string {
	if strings.HasSuffix(name, ".fifo") {
		if attributes == nil {
			attributes = j{}
		}

		attributes["FifoQueue"] = "true"
	}
	url, _ := c.do("CreateQueue", j{"QueueName": name, "Attributes": attributes})["QueueUrl"].(string)
	return url
}

func (c client) send(url, body string, more ...j) j {
	in := j{"QueueUrl": url, "MessageBody": body}
	for _, m := range more {
		for k, v := range m {
			in[k] = v
		}
	}
	return c.do("SendMessage", in)
}

// got is a received message.
type got struct {
	MessageID, ReceiptHandle, Body, MD5OfBody, MD5OfMessageAttributes string
	Attributes                                                        map[string]string
	MessageAttributes                                                 map[string]attribute
}

func (c client) receive(url string, more ...j) []got {
	in := j{"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageSystemAttributeNames": []string{"All"}, "MessageAttributeNames": []string{"All"}}
	for _, m := range more {
		for k, v := range m {
			in[k] = v
		}
	}

	b, err := json.Marshal(c.do("ReceiveMessage", in))
	require.NoError(c.t, err)
	var out struct{ Messages []got }
	require.NoError(c.t, json.Unmarshal(b, &out))

	return out.Messages
}

func bodies(messages []got) string {
	var out []string
	for _, m := range messages {
		out = append(out, m.Body)
	}
	return strings.Join(out, " ")
}

func (c client) remove(url string, m got) {
	c.do("DeleteMessage", j{"QueueUrl": url, "ReceiptHandle": m.ReceiptHandle})
}

func (c client) attributes(url string) j {
	out, _ := c.do("GetQueueAttributes", j{"QueueUrl": url, "AttributeNames": []string{"All"}})["Attributes"].(j)
	return out
}

func arn(name string) string { return arnPrefix + name }

func redriveTo(name, times string) string {
	return `{"deadLetterTargetArn":"` + arn(name) + `","maxReceiveCount":` + times + `}`
}

// sound requires what is true of a queue at any time.
func sound(t require.TestingT, q *queue) {
	inFlight, free := 0, map[string]bool{}
	for e := q.arrived.Front(); e != nil; e = e.Next() {
		m, _ := e.Value.(*message)
		require.Same(t, m, q.byID[m.ID])

		if m.inFlight {
			inFlight++
			require.Same(t, q.hidden, m.heap)
		}

		if m.heap != nil {
			require.Same(t, m, m.heap.messages[m.index])
			free[m.Group] = free[m.Group] || !m.inFlight
		} else {
			require.True(t, q.fifo, "only FIFO messages are in no heap")
		}
	}
	require.Len(t, q.byID, q.arrived.Len())
	require.Equal(t, inFlight, q.inFlight)

	for name, g := range q.groups {
		require.Positive(t, g.messages.Len())
		require.GreaterOrEqual(t, g.inFlight, 0)
		require.Equal(t, g.inFlight == 0, free[name], "a group is free, or one of it is in flight")
	}
}
