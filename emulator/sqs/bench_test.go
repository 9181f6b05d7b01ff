package sqs

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func batchOf(url string, body string) []byte {
	entries := make([]j, 10)
	for i := range entries {
		entries[i] = j{"Id": fmt.Sprint(i), "MessageBody": body, "MessageGroupId": fmt.Sprint("g", i), "MessageDeduplicationId": fmt.Sprint(i, time.Now().UnixNano())}
	}

	if !strings.HasSuffix(url, ".fifo") {
		for _, e := range entries {
			delete(e, "MessageDeduplicationId")
		}
	}

	b, _ := json.Marshal(j{"QueueUrl": url, "Entries": entries})
	return b
}

// fill puts n messages into a queue, as replaying would.
func (c client) fill(name string, n int) {
	at := now()
	for i := range n {
		m := &message{ID: fmt.Sprint("m", i), Body: strings.Repeat("x", 200), Sent: at, Arrived: at, Seq: c.s.seq.Add(1), Group: fmt.Sprint("g", i%100), Dedup: fmt.Sprint(i)}
		require.NoError(c.t, c.s.replay(entry{Op: opSend, Queue: name, Message: m}, at))
	}
}

// cpu reports the processor's time of an operation too: on a busy machine the
// clock's says little.
func cpu(b *testing.B) (report func()) {
	used := func() time.Duration {
		var r syscall.Rusage
		require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &r))
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}

	before := used()
	return func() { b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op") }
}

// BenchmarkSendBatch sends ten messages a call, without HTTP.
func BenchmarkSendBatch(b *testing.B) {
	c := open(b, Options{Path: filepath.Join(b.TempDir(), "j")})
	body := batchOf(c.queue("q", nil), strings.Repeat("x", 200))
	report := cpu(b)
	for b.Loop() {
		_, err := c.ops["SendMessageBatch"](context.Background(), body)
		require.NoError(b, err)
	}

	report()
	require.NoError(b, c.s.Close())
}

// BenchmarkReceiveDelete takes ten messages and deletes them, with a backlog.
func BenchmarkReceiveDelete(b *testing.B) {
	for _, name := range []string{"q", "q.fifo"} {
		for _, backlog := range []int{1000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", name, backlog), func(b *testing.B) {
				c := open(b, Options{Path: filepath.Join(b.TempDir(), "j")})
				url := c.queue(name, j{"MessageRetentionPeriod": "1209600"})
				c.fill(name, backlog)
				q, report := c.s.queues[name], cpu(b)

				for b.Loop() {
					messages := c.receive(url)
					entries := make([]j, len(messages))
					for i, m := range messages {
						entries[i] = j{"Id": fmt.Sprint(i), "ReceiptHandle": m.ReceiptHandle}
					}

					c.do("DeleteMessageBatch", j{"QueueUrl": url, "Entries": entries})
					if q.arrived.Len() < backlog/2 {
						b.StopTimer()
						q.clear(now())
						c.fill(name, backlog)
						b.StartTimer()
					}
				}

				report()
				require.NoError(b, c.s.Close())
			})
		}
	}
}

// BenchmarkCompactionStall is how long everything else waits while a journal of
// 100,000 messages is rewritten: once for the list of messages, and once, not
// measured here, for the last bytes and the rename.
func BenchmarkCompactionStall(b *testing.B) {
	c := open(b, Options{Path: filepath.Join(b.TempDir(), "j")})
	c.queue("q", nil)
	c.fill("q", 100_000)
	report := cpu(b)

	for b.Loop() {
		_ = c.s.exclusively(func() error {
			require.Positive(b, sizeOf(c.s.snapshot()))
			return nil
		})
	}

	report()
	require.NoError(b, c.s.Close())
}

// BenchmarkOpen opens a journal of half a million messages sent, and deleted but
// for one in a hundred, in tens.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "j")
	c := open(b, Options{Path: path})
	c.s.compactAt = 1 << 40
	c.queue("q", nil)
	at := now()

	for i := 0; i < 500_000; i += 10 {
		var sends []entry
		deletes := entry{Op: opDelete, Queue: "q"}
		for n := i; n < i+10; n++ {
			m := &message{ID: fmt.Sprint("00000000-0000-0000-0000-", n), Body: strings.Repeat("x", 200), Sent: at, Arrived: at, Seq: uint64(n)}
			sends = append(sends, entry{Op: opSend, Queue: "q", Message: m})
			if n%100 > 0 {
				deletes.IDs = append(deletes.IDs, m.ID)
			}
		}
		require.NoError(b, c.s.write(sends...))
		require.NoError(b, c.s.write(deletes))
	}
	require.NoError(b, c.s.Close())

	report := cpu(b)
	for b.Loop() {
		c := open(b, Options{Path: path})
		require.Len(b, c.s.queues["q"].byID, 5000)
		require.NoError(b, c.s.Close())
	}

	report()
}
