package emulator_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	"tandem/emulator"
	"tandem/services/test/testaws"
)

// smallDisk mounts a disk of 4 MB for the test, which is skipped where that is not
// allowed: it is on Linux, to root.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := mountSmall(dir); err != nil {
		t.Skipf("NOT TESTED: no disk can be mounted: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	return dir
}

// fill takes all room that is left, and returns what gives it back.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	require.NoError(t, err)
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		require.ErrorIs(t, err, syscall.ENOSPC)
	}
	require.NoError(t, f.Close())
	return func() { require.NoError(t, os.Remove(path)) }
}

// onDisk is an emulator with its data in dir, and clients that try once.
type onDisk struct {
	endpoint string
	sqs      *sqs.Client
	kinesis  *kinesis.Client
	stop     func()
}

func startOn(t *testing.T, dir string) onDisk {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	cfg := emulator.Default()
	cfg.DataDir, cfg.Reorder, cfg.Duplicate = dir, 0, 0
	go func() { ended <- emulator.Run(ctx, l, slog.New(slog.DiscardHandler), cfg) }()

	stopped := false
	stop := func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-ended)
		}
	}
	t.Cleanup(stop)

	endpoint := "http://" + l.Addr().String()
	aw, err := testaws.Config(t.Context(), endpoint, "")
	require.NoError(t, err)
	aw.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return onDisk{endpoint, sqs.NewFromConfig(aw), kinesis.NewFromConfig(aw), stop}
}

func (e onDisk) ready(t *testing.T) (status int, disk string) {
	t.Helper()
	resp, err := http.Get(e.endpoint + "/readyz")
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)

	var body struct{ Checks struct{ Disk string } }
	require.NoError(t, json.Unmarshal(b, &body), string(b))
	return resp.StatusCode, body.Checks.Disk
}

func (e onDisk) put(t *testing.T, data string) error {
	t.Helper()
	_, err := e.kinesis.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: aws.String(stream), PartitionKey: aws.String("k"), Data: []byte(data)})
	return err
}

// records reads the whole stream.
func (e onDisk) records(t *testing.T) (data []string) {
	t.Helper()
	shards, err := e.kinesis.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String(stream)})
	require.NoError(t, err)
	for _, sh := range shards.Shards {
		it, err := e.kinesis.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{StreamName: aws.String(stream), ShardId: sh.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
		require.NoError(t, err)
		page, err := e.kinesis.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
		require.NoError(t, err)
		for _, r := range page.Records {
			data = append(data, string(r.Data))
		}
	}
	return data
}

// A full disk is said to whoever sends, by name, and to /readyz. What is stored is
// read, also by an emulator that starts on it. With room again all goes on.
func TestAFullDiskIsReadAndSaysSo(t *testing.T) {
	dir := smallDisk(t)
	e := startOn(t, dir)
	require.NoError(t, e.put(t, "kept"))
	send := func(body string) error {
		_, err := e.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(e.endpoint + "/000000000000/ride-requests"), MessageBody: &body})
		return err
	}
	require.NoError(t, send("kept"))
	status, disk := e.ready(t)
	require.Equal(t, 200, status)
	require.Equal(t, "ok", disk)

	// A segment before the last one that lost its index wants a new one at the start.
	segments, err := filepath.Glob(filepath.Join(dir, "streams", "*", "*", "*.segment"))
	require.NoError(t, err)
	require.Len(t, segments, 1)
	b, err := os.ReadFile(segments[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(segments[0]), "00000000000000000000.segment"), b, 0o600))

	const full = "no space left on device"
	free := fill(t, dir)
	for range 2 {
		large := strings.Repeat("x", 100<<10) // more than the last page of a file holds
		require.ErrorContains(t, e.put(t, large), full)
		require.ErrorContains(t, send(large), full)
		out, err := e.kinesis.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: aws.String(stream), Records: []types.PutRecordsRequestEntry{{PartitionKey: aws.String("k"), Data: []byte(large)}}})
		require.NoError(t, err)
		require.Equal(t, "InternalFailure", *out.Records[0].ErrorCode)
		require.Contains(t, *out.Records[0].ErrorMessage, full)

		status, disk = e.ready(t)
		require.Equal(t, 503, status)
		require.Equal(t, "nothing can be stored, only read: "+full, disk)
		require.Equal(t, []string{"kept"}, e.records(t))

		got, err := e.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(e.endpoint + "/000000000000/ride-requests"), WaitTimeSeconds: 10})
		require.NoError(t, err)
		require.Len(t, got.Messages, 1)
		require.Equal(t, "kept", *got.Messages[0].Body)

		// The second time, it is one that has started on the full disk.
		e.stop()
		e = startOn(t, dir)
	}
	free()
	status, _ = e.ready(t)
	require.Equal(t, 200, status)
	require.NoError(t, e.put(t, "after"))
	require.NoError(t, send("after"))
	require.ElementsMatch(t, []string{"kept", "after"}, e.records(t))
}
