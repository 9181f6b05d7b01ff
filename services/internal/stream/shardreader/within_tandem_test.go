package shardreader_test

import (
	"context"
	"crypto/md5" //nolint:gosec // Kinesis maps partition keys to shards by MD5
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/awslabs/kinesis-aggregation/go/v2/records"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	"tandem/services/internal/awsclient"
	"tandem/services/internal/stream/kpl"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/test/testenv"
)

// mixed is an aggregate as the KPL makes it: keys of one shard, none with a hash key.
func mixed(t *testing.T, keys []string) []byte {
	t.Helper()
	agg := &records.AggregatedRecord{PartitionKeyTable: keys}
	for i, key := range keys {
		agg.Records = append(agg.Records, &records.Record{PartitionKeyIndex: proto.Uint64(uint64(i)), Data: []byte(key)}) //nolint:gosec // small
	}
	body, err := proto.Marshal(protoadapt.MessageV2Of(agg))
	require.NoError(t, err)
	sum := md5.Sum(body) //nolint:gosec // the format's check sum
	return append(append([]byte("\xf3\x89\x9a\xc2"), body...), sum[:]...)
}

// A KPL that has not heard of a split puts an aggregate of both children's keys, which
// comes to one of them, and puts those again that belong to the other. Each user record is
// seen once, and what is left out is counted. Without the rule some are seen twice.
func TestAKPLThroughASplit(t *testing.T) {
	t.Parallel()
	cfg, err := awsclient.New(t.Context(), testenv.Emulator(t))
	require.NoError(t, err)
	client := kinesis.NewFromConfig(cfg)
	stream := aws.String("kpl")
	_, err = client.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: stream, ShardCount: aws.Int32(1)})
	require.NoError(t, err)
	require.NoError(t, kinesis.NewStreamExistsWaiter(client).Wait(t.Context(), &kinesis.DescribeStreamInput{StreamName: stream}, time.Minute))

	var halves [2][]string
	var keys []string
	for i := range 20 {
		key := fmt.Sprint("key-", i)
		keys = append(keys, key)
		halves[kpl.Buckets(1).Of(key)] = append(halves[kpl.Buckets(1).Of(key)], key)
	}
	put := func(keys []string) (shard string) {
		out, err := client.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: stream, PartitionKey: &keys[0], Data: mixed(t, keys)})
		require.NoError(t, err)
		return *out.ShardId
	}

	put(keys) // all lie in the parent
	_, err = client.SplitShard(t.Context(), &kinesis.SplitShardInput{
		StreamName: stream, ShardToSplit: aws.String("shardId-000000000000"), NewStartingHashKey: aws.String("170141183460469231731687303715884105728"),
	})
	require.NoError(t, err)
	require.NoError(t, kinesis.NewStreamExistsWaiter(client).Wait(t.Context(), &kinesis.DescribeStreamInput{StreamName: stream}, time.Minute))

	mine := kpl.Buckets(1).Of(keys[0])
	landed := put(keys)          // predicted for the parent
	other := put(halves[1-mine]) // "Wrong Shard": again
	require.NotEqual(t, landed, other)

	var mu sync.Mutex // the shards are read beside each other
	read := func(outside func(string, int)) map[string]int {
		seen := map[string]int{}
		r := newReader(t, shardreader.Options{Client: client, Stream: *stream, PollEvery: 250 * time.Millisecond, Outside: outside, Log: slog.New(slog.DiscardHandler), Empty: true})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		require.NoError(t, r.All(ctx, shardreader.Horizon(), func(_ context.Context, b shardreader.Batch) error {
			mu.Lock()
			defer mu.Unlock()
			for _, rec := range b.Records {
				seen[string(rec.Data)]++
			}
			if len(seen) == len(keys) && r.CaughtUp() {
				cancel()
			}
			return nil
		}))
		return seen
	}

	left := map[string]int{}
	seen := read(func(shard string, n int) {
		mu.Lock()
		defer mu.Unlock()
		left[shard] += n
	})
	require.Equal(t, map[string]int{landed: len(halves[1-mine])}, left)
	for _, key := range keys {
		require.Equal(t, 2, seen[key], "%s: before the split, and after it", key)
	}

	seen = read(nil)
	for _, key := range halves[1-mine] {
		require.Equal(t, 3, seen[key], "%s: nothing is left out that was not asked for", key)
	}
}
