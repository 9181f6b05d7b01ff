package sqs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/emulator/journal"
)

// dump is all of a service's state that is kept.
func dump(s *Service) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		q := s.queues[name]
		a, _ := json.Marshal(q.attributes)
		fmt.Fprintln(&b, name, string(a), q.created, q.modified)

		for e := q.arrived.Front(); e != nil; e = e.Next() {
			m, _ := e.Value.(*message)
			a, _ := json.Marshal(m)
			fmt.Fprintln(&b, " ", string(a))
		}

		for _, k := range slices.Sorted(maps.Keys(q.dedup.byKey)) {
			fmt.Fprintln(&b, "  dedup", *q.dedup.byKey[k])
		}
	}
	return b.String()
}

// act does one random operation, which may fail.
func act(t *rapid.T, c client, handles map[string][]string) {
	name := rapid.SampledFrom([]string{"q", "dead", "f.fifo"}).Draw(t, "queue")
	url := "/" + name
	body := rapid.StringMatching(`[a-c]`)
	entry := func(id string) j {
		in := j{"Id": id, "MessageBody": body.Draw(t, "body")}
		if name == "f.fifo" {
			in["MessageGroupId"], in["MessageDeduplicationId"] = body.Draw(t, "group"), rapid.StringMatching(`[a-z]`).Draw(t, "dedup")
		} else if rapid.Bool().Draw(t, "attribute") {
			in["MessageAttributes"] = j{"a": j{"DataType": "Binary", "BinaryValue": []byte{0, 1}}}
		}
		return in
	}
	held := func() string {
		if h := handles[url]; len(h) > 0 {
			return rapid.SampledFrom(h).Draw(t, "handle")
		}
		return ""
	}
	switch rapid.IntRange(0, 10).Draw(t, "operation") {
	case 0:
		in := j{"QueueName": name, "Attributes": j{"VisibilityTimeout": "0"}}
		if name == "f.fifo" {
			in["Attributes"] = j{"FifoQueue": "true", "VisibilityTimeout": "3"}
		}

		_, _ = c.try("CreateQueue", in)
	case 1:
		_, _ = c.try("SetQueueAttributes", j{"QueueUrl": "/q", "Attributes": j{"RedrivePolicy": redriveTo("dead", "1")}})
	case 2, 3:
		_, _ = c.try("SendMessageBatch", j{"QueueUrl": url, "Entries": []j{entry("1"), entry("2"), entry("3")}})
	case 4, 5, 6:
		out, _ := c.try("ReceiveMessage", j{"QueueUrl": url, "MaxNumberOfMessages": 3, "VisibilityTimeout": rapid.IntRange(0, 1).Draw(t, "timeout")})
		messages, _ := out["Messages"].([]any)

		for _, m := range messages {
			h, _ := m.(j)["ReceiptHandle"].(string)
			handles[url] = append(handles[url], h)
		}
	case 7, 8:
		_, _ = c.try("DeleteMessageBatch", j{"QueueUrl": url, "Entries": []j{{"Id": "1", "ReceiptHandle": held()}, {"Id": "2", "ReceiptHandle": held()}}})
	case 9:
		_, _ = c.try("ChangeMessageVisibility", j{"QueueUrl": url, "ReceiptHandle": held(), "VisibilityTimeout": rapid.IntRange(0, 2).Draw(t, "timeout")})
	case 10:
		if rapid.IntRange(0, 9).Draw(t, "rarely") == 0 {
			_, _ = c.try(rapid.SampledFrom([]string{"PurgeQueue", "DeleteQueue"}).Draw(t, "end"), j{"QueueUrl": url})
		}
	}
}

// written does random operations on a journal and returns its bytes and the state
// after each.
func written(t *rapid.T, path string) (raw []byte, states []string) {
	require.NoError(t, os.RemoveAll(path))
	c := open(t, Options{Path: path})
	states, handles := []string{dump(c.s)}, map[string][]string{}
	for _, name := range []string{"q", "dead"} {
		c.queue(name, j{"VisibilityTimeout": "0"})
		states = append(states, dump(c.s))
	}

	for range rapid.IntRange(1, 30).Draw(t, "operations") {
		act(t, c, handles)
		for _, q := range c.s.queues {
			sound(t, q)
		}

		states = append(states, dump(c.s))
	}
	require.NoError(t, c.s.Close())
	raw, err := os.ReadFile(path)
	require.NoError(t, err)

	return raw, states
}

// requirePrefix opens a journal of these bytes, requires the state after some of
// the operations, and returns after how many.
func requirePrefix(t require.TestingT, path string, raw []byte, states []string) int {
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	c := open(t, Options{Path: path})
	i := slices.Index(states, dump(c.s))
	require.GreaterOrEqual(t, i, 0, "this is the state after no prefix of the operations")

	for _, q := range c.s.queues {
		sound(t, q)
	}
	require.NoError(t, c.s.Close())

	return i
}

// However the journal is cut or bent, what reopens is the state after a prefix
// of the acknowledged operations.
func TestWhatReopensIsAPrefix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	rapid.Check(t, func(t *rapid.T) {
		raw, states := written(t, path)
		require.Equal(t, states[len(states)-1], states[requirePrefix(t, path, raw, states)], "untouched, nothing is lost")

		head := len("TANDEM-JOURNAL-2\n")
		for range 3 {
			cut := rapid.IntRange(0, len(raw)).Draw(t, "cut")
			requirePrefix(t, path, raw[:cut], states)
			bent := bytes.Clone(raw)
			bent[rapid.IntRange(head, len(raw)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			requirePrefix(t, path, bent, states)
		}
	})
}

// One journal is cut at every byte: the more of it, the later the state.
func TestCutAtEveryByte(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	c := open(t, Options{Path: path})
	states := []string{dump(c.s)}
	step := func(op string, in j) j {
		out := c.do(op, in)
		states = append(states, dump(c.s))
		return out
	}

	step("CreateQueue", j{"QueueName": "dead"})
	step("CreateQueue", j{"QueueName": "q", "Attributes": j{"RedrivePolicy": redriveTo("dead", "1"), "VisibilityTimeout": "0"}})
	step("CreateQueue", j{"QueueName": "f.fifo", "Attributes": j{"FifoQueue": "true", "ContentBasedDeduplication": "true"}})
	step("SendMessageBatch", j{"QueueUrl": "/q", "Entries": []j{{"Id": "1", "MessageBody": "x"}, {"Id": "2", "MessageBody": "y", "DelaySeconds": 900}}})
	step("SendMessage", j{"QueueUrl": "/f.fifo", "MessageBody": "z", "MessageGroupId": "g"})
	step("ReceiveMessage", j{"QueueUrl": "/q"})
	step("ReceiveMessage", j{"QueueUrl": "/q"})
	m := c.receive("/dead")[0]
	require.Equal(t, "x", m.Body)

	step("SetQueueAttributes", j{"QueueUrl": "/q", "Attributes": j{"DelaySeconds": "1"}})
	step("DeleteMessage", j{"QueueUrl": "/dead", "ReceiptHandle": m.ReceiptHandle})
	step("PurgeQueue", j{"QueueUrl": "/f.fifo"})
	step("DeleteQueue", j{"QueueUrl": "/q"})
	require.NoError(t, c.s.Close())

	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	last := 0
	for cut := range len(raw) + 1 {
		i := requirePrefix(t, path, raw[:cut], states)
		require.GreaterOrEqual(t, i, last)

		last = i
	}
	require.Equal(t, states[len(states)-1], states[last])
}

// A write that fails changes nothing, in memory or after a restart.
func TestAFailedWriteChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	c := open(t, Options{Path: path})
	c.dead(2)
	c.queue("f.fifo", nil)
	c.send("/q", "kept")
	kept := c.receive("/q", j{"VisibilityTimeout": 60})[0]
	c.send("/q", "dies")
	c.receive("/q", j{"VisibilityTimeout": 0})
	before := dump(c.s)
	require.NoError(t, c.s.file.Close()) // the disk fails

	for _, call := range []struct {
		op string
		in j
	}{
		{"SendMessage", j{"QueueUrl": "/q", "MessageBody": "x"}},
		{"SendMessageBatch", j{"QueueUrl": "/f.fifo", "Entries": []j{{"Id": "1", "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "d"}}}},
		{"DeleteMessage", j{"QueueUrl": "/q", "ReceiptHandle": kept.ReceiptHandle}},
		{"DeleteMessageBatch", j{"QueueUrl": "/q", "Entries": []j{{"Id": "1", "ReceiptHandle": kept.ReceiptHandle}}}},
		{"ReceiveMessage", j{"QueueUrl": "/q"}}, // "dies" must move

		{"CreateQueue", j{"QueueName": "new"}},
		{"SetQueueAttributes", j{"QueueUrl": "/q", "Attributes": j{"DelaySeconds": "5"}}},
		{"PurgeQueue", j{"QueueUrl": "/q"}},
		{"DeleteQueue", j{"QueueUrl": "/q"}},
		{"StartMessageMoveTask", j{"SourceArn": arn("dead")}},
	} {
		_, err := c.try(call.op, call.in)
		require.ErrorIs(t, err, os.ErrClosed, call.op)
		require.Equal(t, before, dump(c.s), call.op)

		for _, q := range c.s.queues {
			sound(t, q)
		}
	}
	require.Empty(t, c.s.tasks)

	c = open(t, Options{Path: path})
	require.Equal(t, before, dump(c.s))
	c.send("/f.fifo", "x", j{"MessageGroupId": "g", "MessageDeduplicationId": "d"})
	require.Len(t, c.receive("/f.fifo"), 1, "its deduplication id was not used up")
	require.NoError(t, c.s.Close())
}

func TestWhatWasCutOffIsLogged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	c := open(t, Options{Path: path})
	c.queue("a", nil)
	c.queue("b", nil)
	require.NoError(t, c.s.Close())

	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	logged := func(raw []byte) string {
		require.NoError(t, os.WriteFile(path, raw, 0o600))

		var b bytes.Buffer
		require.NoError(t, open(t, Options{Path: path, Log: slog.New(slog.NewTextHandler(&b, nil))}).s.Close())
		return b.String()
	}
	require.Empty(t, logged(raw))
	require.Contains(t, logged(raw[:len(raw)-1]), "level=WARN")

	bent := bytes.Clone(raw)
	bent[30] ^= 1
	line := logged(bent)
	require.Contains(t, line, "level=ERROR")
	require.Contains(t, line, fmt.Sprintf("at=17 bytes=%d", len(raw)-17))
	require.FileExists(t, path+".damaged")
}

func TestAnotherVersionIsRefused(t *testing.T) {
	next, none := encode(entry{Op: opVersion, At: version + 1}), encode(entry{Op: opQueue, Queue: "q"})
	for _, frame := range [][]byte{[]byte(`{"op":"queue"}`), next[0], none[0]} {
		path := filepath.Join(t.TempDir(), "j")
		c := open(t, Options{})
		require.NoError(t, c.s.Close())

		f := frameFile(t, path, frame)
		_, err := Open(Options{Path: f})
		require.ErrorIs(t, err, errEntry)
		require.ErrorContains(t, err, "--fresh")
	}
}

func frameFile(t *testing.T, path string, frame []byte) string {
	f, err := journal.Open(path, false, func(int64, []byte) error { return nil })
	require.NoError(t, err)
	require.NoError(t, f.Append(frame))
	require.NoError(t, f.Close())

	return path
}
