package sqs

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

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
