package emulator_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"tandem/services/test/testaws"
)

const (
	kills      = 20
	openWithin = 2 * time.Second
	stream     = "driver-locations"
)

// victim is the emulator as a process of its own, with clients that try once.
type victim struct {
	dir, addr      string
	cmd            *exec.Cmd
	sqs            *sqs.Client
	kinesis        *kinesis.Client
	sns            *sns.Client
	requests, fifo *string // queue URLs
}

// start starts the process and returns the time until it answered.
func (v *victim) start(t *testing.T) time.Duration {
	t.Helper()
	begun := time.Now()
	v.cmd = exec.Command(os.Args[0])
	v.cmd.Env = append(os.Environ(), childVar+"="+v.dir, "EMULATOR_TEST_ADDR="+v.addr)
	out, err := v.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, v.cmd.Start())

	t.Cleanup(func() { _ = v.cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	v.addr = strings.TrimSpace(line)
	resp, err := http.Get("http://" + v.addr + "/healthz") // its listener is open; it answers when its files are
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return time.Since(begun)
}

func (v *victim) connect(t *testing.T) {
	t.Helper()
	cfg, err := testaws.Config(t.Context(), "http://"+v.addr, "")
	require.NoError(t, err)
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	v.sqs, v.kinesis, v.sns = sqs.NewFromConfig(cfg), kinesis.NewFromConfig(cfg), sns.NewFromConfig(cfg)

	for name, url := range map[string]**string{"ride-requests": &v.requests, "notifications.fifo": &v.fifo} {
		out, err := v.sqs.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
		require.NoError(t, err)
		*url = out.QueueUrl
	}
}

func (v *victim) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, v.cmd.Process.Kill())
	_ = v.cmd.Wait() // it was killed
}

// promises is what the emulator has acknowledged.
type promises struct {
	mu       sync.Mutex
	sent     map[string]bool // bodies
	deleting map[string]bool // a delete was sent: they may be gone
	deleted  map[string]bool
	ordered  map[string]int    // FIFO group: its last message
	records  map[string]string // data: shard and sequence number
	topics   int
	acks     int
}

func (p *promises) note(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.acks++
	f()
}

// Killed with -9 under load, twenty times, it has everything that it
// acknowledged, and nothing whose deletion it acknowledged.
func TestKilledItKeepsWhatItAcknowledged(t *testing.T) {
	v := &victim{dir: t.TempDir(), addr: "127.0.0.1:0"}
	slowest := v.start(t)
	v.connect(t)
	p := &promises{sent: map[string]bool{}, deleting: map[string]bool{}, deleted: map[string]bool{}, ordered: map[string]int{}, records: map[string]string{}}

	for round := range kills {
		before := p.acks
		var load sync.WaitGroup
		for w := range 2 {
			until := func(step func(n int) error) {
				load.Go(func() {
					for n := 0; step(n) == nil; n++ { // an error: it is dead
					}
				})
			}

			until(func(n int) error { return v.send(t.Context(), p, fmt.Sprintf("%d-%d-%d", round, w, n)) })
			until(func(int) error { return v.receiveAndDelete(t.Context(), p) })
			until(func(n int) error { return v.put(t.Context(), p, fmt.Sprintf("%d-%d", round, w), n) })
			until(func(int) error { return v.sendInOrder(t.Context(), p, fmt.Sprint("group-", w)) })
		}

		load.Go(func() { _ = v.createTopic(t.Context(), p) })
		require.Eventually(t, func() bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.acks-before > 150+37*(round%5) // never at the same point
		}, 30*time.Second, time.Millisecond)
		v.kill(t)
		load.Wait()
		slowest = max(slowest, v.start(t))

		v.checkQueues(t, p)
		v.checkStream(t, p)
		v.checkTopics(t, p)
	}
	require.Less(t, slowest, openWithin)
	require.NotEmpty(t, p.deleted)

	t.Logf("%d kills: kept %d messages sent, %d deleted, %d in order, %d records, %d topics; it answered after at most %s",
		kills, len(p.sent), len(p.deleted), p.ordered["group-0"]+p.ordered["group-1"], len(p.records), p.topics, slowest.Round(time.Millisecond))
}

func (v *victim) send(ctx context.Context, p *promises, body string) error {
	bodies, entries := []string{body + "a", body + "b", body + "c"}, []types.SendMessageBatchRequestEntry{}
	for i := range bodies {
		entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: &bodies[i]})
	}

	_, err := v.sqs.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: v.requests, Entries: entries})
	if err == nil {
		p.note(func() {
			for _, b := range bodies {
				p.sent[b] = true
			}
		})
	}
	return err
}

// receiveAndDelete deletes one message of those that it receives.
func (v *victim) receiveAndDelete(ctx context.Context, p *promises) error {
	out, err := v.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: v.requests, MaxNumberOfMessages: 3, WaitTimeSeconds: 1})
	if err != nil || len(out.Messages) == 0 {
		return err
	}

	m := out.Messages[0]
	p.note(func() { p.deleting[*m.Body] = true })
	_, err = v.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: v.requests, ReceiptHandle: m.ReceiptHandle})
	if err == nil {
		p.note(func() { p.deleted[*m.Body] = true })
	}
	return err
}

func (v *victim) put(ctx context.Context, p *promises, key string, n int) error {
	in := &kinesis.PutRecordsInput{StreamName: aws.String(stream)}
	for i := range 3 {
		in.Records = append(in.Records, kinesistypes.PutRecordsRequestEntry{PartitionKey: &key, Data: fmt.Appendf(nil, "%s %08d", key, 3*n+i)})
	}

	out, err := v.kinesis.PutRecords(ctx, in)
	if err == nil {
		p.note(func() {
			for i, r := range out.Records {
				p.records[string(in.Records[i].Data)] = *r.ShardId + " " + *r.SequenceNumber
			}
		})
	}
	return err
}

// sendInOrder sends the group's next message, with its number as deduplication
// id: after a crash the same again, which must not be there twice.
func (v *victim) sendInOrder(ctx context.Context, p *promises, group string) error {
	p.mu.Lock()
	next := fmt.Sprint(p.ordered[group] + 1)
	p.mu.Unlock()
	_, err := v.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: v.fifo, MessageBody: &next, MessageGroupId: &group, MessageDeduplicationId: aws.String(group + next)})
	if err == nil {
		p.note(func() { p.ordered[group]++ })
	}
	return err
}

func (v *victim) createTopic(ctx context.Context, p *promises) error {
	_, err := v.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(fmt.Sprint("topic-", p.topics))})
	if err == nil {
		p.note(func() { p.topics++ })
	}
	return err
}

// look returns a queue's messages, the oldest first, without receiving them.
func (v *victim) look(t *testing.T, queue *string) (messages []looked) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+v.addr+"/_aws/sqs/messages?ShowInvisible=true&ShowDelayed=true&QueueUrl="+url.QueryEscape(*queue), nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		ReceiveMessageResponse struct{ ReceiveMessageResult struct{ Message []looked } }
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	return answer.ReceiveMessageResponse.ReceiveMessageResult.Message
}

type looked struct {
	Body      string
	Attribute []struct{ Name, Value string }
}

func (m looked) attribute(name string) string {
	for _, a := range m.Attribute {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

func (v *victim) checkQueues(t *testing.T, p *promises) {
	t.Helper()
	there := map[string]bool{}
	for _, m := range v.look(t, v.requests) {
		require.False(t, there[m.Body], "%s is in the queue twice", m.Body)

		there[m.Body] = true
	}
	for body := range p.sent {
		require.True(t, there[body] || p.deleting[body], "%s was acknowledged and is gone", body)
	}

	for body := range p.deleted {
		require.False(t, there[body], "%s was deleted and is back", body)
	}
	last := map[string]int{}

	for _, m := range v.look(t, v.fifo) {
		group := m.attribute("MessageGroupId")
		last[group]++
		require.Equal(t, fmt.Sprint(last[group]), m.Body, "%s is whole and in order", group)
	}

	for group, n := range p.ordered {
		require.Contains(t, []int{n, n + 1}, last[group], "one that was not answered may be kept too")
	}
}

func (v *victim) checkStream(t *testing.T, p *promises) {
	t.Helper()
	there := map[string]string{}
	shards, err := v.kinesis.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String(stream)})
	require.NoError(t, err)

	for _, sh := range shards.Shards {
		it, err := v.kinesis.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{StreamName: aws.String(stream), ShardId: sh.ShardId, ShardIteratorType: "TRIM_HORIZON"})
		require.NoError(t, err)
		last, keys := "", map[string]string{}

		for next := it.ShardIterator; next != nil; {
			out, err := v.kinesis.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: next})
			require.NoError(t, err)
			for _, r := range out.Records {
				require.Greater(t, *r.SequenceNumber, last, "sequence numbers rise, through restarts too")
				require.Greater(t, string(r.Data), keys[*r.PartitionKey], "in order")

				last, keys[*r.PartitionKey] = *r.SequenceNumber, string(r.Data)
				there[string(r.Data)] = *sh.ShardId + " " + last
			}
			if next = out.NextShardIterator; *out.MillisBehindLatest == 0 {
				break
			}
		}
	}

	for data, place := range p.records {
		require.Equal(t, place, there[data], "the record %s is where it was acknowledged", data)
	}
}

func (v *victim) checkTopics(t *testing.T, p *promises) {
	t.Helper()
	out, err := v.sns.ListTopics(t.Context(), &sns.ListTopicsInput{})
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(out.Topics), 1+p.topics) // tandem-alarms
}
