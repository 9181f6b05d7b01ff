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
	"sync"
	"testing"
	"testing/synctest"
	"time"

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

func TestAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "j")
		c := open(t, Options{Path: path})
		url, fifo := c.queue("q", j{"VisibilityTimeout": "60"}), c.queue("f.fifo", j{"ContentBasedDeduplication": "true"})
		c.send(url, "late", j{"DelaySeconds": 60})
		c.send(url, "x")
		c.send(fifo, "1", to("g"))
		first := c.send(fifo, "2", to("g"))
		x, ones := c.receive(url)[0], c.receive(fifo)

		c.queue("gone", nil)
		c.do("DeleteQueue", j{"QueueUrl": "/gone"})
		restart := func() {
			time.Sleep(time.Second)
			require.NoError(t, c.s.Close())

			c = open(t, Options{Path: path})
		}
		restart()
		c.refuses("QueueDeletedRecently", "", "CreateQueue", j{"QueueName": "gone"})

		again := c.receive(url)
		require.Equal(t, "x", bodies(again), "what was in flight is visible; what is delayed stays so")
		require.Equal(t, "1", again[0].Attributes["ApproximateReceiveCount"])
		c.remove(url, x)
		require.Equal(t, 2, c.s.queues["q"].arrived.Len(), "it was received since")

		c.remove(fifo, ones[0])
		require.Equal(t, "2", bodies(c.receive(fifo)), "a handle from before deletes what was not received since")
		require.Equal(t, first["SequenceNumber"], c.send(fifo, "2", to("g"))["SequenceNumber"], "still a repeat")
		require.Greater(t, c.send(fifo, "3", to("g"))["SequenceNumber"], first["SequenceNumber"])

		restart()
		time.Sleep(time.Minute)
		require.Equal(t, "late x", bodies(c.receive(url)))
		require.NoError(t, c.s.Close())
	})
}

func TestAMoveTaskGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "j")
		c := open(t, Options{Path: path})
		url, _ := c.dead(30)
		c.do("StartMessageMoveTask", j{"SourceArn": arn("dead"), "MaxNumberOfMessagesPerSecond": 10})
		time.Sleep(time.Second)
		require.NoError(t, c.s.Close())

		c = open(t, Options{Path: path})
		require.Equal(t, "RUNNING", c.task("dead")["Status"])
		require.InDelta(t, 11., c.task("dead")["ApproximateNumberOfMessagesMoved"], 2)
		time.Sleep(3 * time.Second)
		require.Equal(t, "COMPLETED", c.task("dead")["Status"])
		require.InDelta(t, 30., c.task("dead")["ApproximateNumberOfMessagesMoved"], 0)
		require.Equal(t, "30", c.attributes(url)["ApproximateNumberOfMessages"])
		require.NoError(t, c.s.Close())
	})
}

// The journal is rewritten again and again under load, and nothing is lost.
func TestCompactionUnderLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	c := open(t, Options{Path: path})
	c.s.compactFrom, c.s.compactAt = 20_000, 20_000
	c.queue("q", nil)
	c.queue("dead", nil)
	c.queue("q2", j{"RedrivePolicy": redriveTo("dead", "1"), "VisibilityTimeout": "0"})
	c.do("CreateQueue", j{"QueueName": "f.fifo", "Attributes": j{"FifoQueue": "true"}})
	first := c.send("/f.fifo", "x", j{"MessageGroupId": "g", "MessageDeduplicationId": "d"})
	c.remove("/f.fifo", c.receive("/f.fifo")[0])

	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 200 {
				c.send("/q", fmt.Sprint(w, "-", i, strings.Repeat("x", 200)))
				if m := c.receive("/q", j{"MaxNumberOfMessages": 1}); i%10 > 0 && len(m) > 0 {
					c.remove("/q", m[0])
				}
			}
		})
	}

	wg.Go(func() { // messages die and are redriven
		for i := range 40 {
			c.send("/q2", fmt.Sprint(i))
			c.receive("/q2")
			c.receive("/q2")
			_, _ = c.try("StartMessageMoveTask", j{"SourceArn": arn("dead")})
		}
	})

	wg.Go(func() { // somebody looks
		for range 30 {
			c.s.Look()
			c.peek("QueueUrl", "/q", "ShowInvisible", "1")
			c.attributes("/q")
			c.do("ListQueues", j{})
		}
	})

	wg.Wait()
	idle := func() bool {
		c.s.fileMu.Lock()
		defer c.s.fileMu.Unlock()
		return !c.s.compacting
	}
	require.Eventually(t, idle, time.Minute, time.Millisecond)

	c.s.compactAt = 0
	c.send("/q", "one more")
	require.Eventually(t, idle, time.Minute, time.Millisecond)
	require.NoError(t, c.s.Close())

	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(70_000), "100 messages of 800, which took 300,000 bytes")
	before := dump(c.s)
	c = open(t, Options{Path: path})
	require.Equal(t, before, dump(c.s))
	require.Equal(t, first["MessageId"], c.send("/f.fifo", "x", j{"MessageGroupId": "g", "MessageDeduplicationId": "d"})["MessageId"])
	require.NoError(t, c.s.Close())
	require.NoFileExists(t, path+".new")
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

// A compaction that cannot be written leaves the journal as it is, and is told.
func TestACompactionThatFailsChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	var log bytes.Buffer
	c := open(t, Options{Path: path, Log: slog.New(slog.NewTextHandler(&log, nil))})
	c.s.compactFrom, c.s.compactAt = 1000, 1000
	c.queue("q", nil)
	require.NoError(t, os.MkdirAll(filepath.Join(path+".new", "in the way"), 0o700))

	for i := range 20 {
		c.send("/q", fmt.Sprint(i, strings.Repeat("x", 100)))
		c.remove("/q", c.receive("/q")[0])
	}

	c.send("/q", "kept")
	before := dump(c.s)
	require.NoError(t, c.s.Close())
	require.Contains(t, log.String(), "level=WARN")

	c = open(t, Options{Path: path})
	require.Equal(t, before, dump(c.s))
	require.NoError(t, c.s.Close())
}
