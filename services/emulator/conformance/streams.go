package conformance

import (
	"crypto/md5"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

func (s *suite) put(t *testing.T, stream, key, data string) *kinesis.PutRecordOutput {
	t.Helper()
	out, err := s.kinesis.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: &stream, PartitionKey: &key, Data: []byte(data)})
	require.NoError(t, err)
	return out
}

func (s *suite) iterator(t *testing.T, in kinesis.GetShardIteratorInput) string {
	t.Helper()
	out, err := s.kinesis.GetShardIterator(t.Context(), &in)
	require.NoError(t, err)
	return *out.ShardIterator
}

func (s *suite) shards(t *testing.T, stream string) []types.Shard {
	t.Helper()
	out, err := s.kinesis.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: &stream})
	require.NoError(t, err)
	return out.Shards
}

// read reads from an iterator to the tip or the shard's end.
func (s *suite) read(t *testing.T, iterator string) (records []types.Record, last *kinesis.GetRecordsOutput) {
	t.Helper()
	for range 20 {
		out, err := s.kinesis.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: &iterator})
		require.NoError(t, err)
		records, last = append(records, out.Records...), out
		if out.NextShardIterator == nil || *out.MillisBehindLatest == 0 {
			break
		}
		iterator = *out.NextShardIterator
	}
	return records, last
}

func texts(records []types.Record) (out []string) {
	for _, r := range records {
		out = append(out, string(r.Data))
	}
	return out
}

func number(t *testing.T, text string) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(text, 10)
	require.True(t, ok)
	return n
}

func streamCases() []kase {
	return []kase{
		{"five kinds of iterators", kinesisAPI + "API_GetShardIterator.html", func(t *testing.T, s *suite) {
			stream := s.stream(t, 1)
			shard := *s.shards(t, stream)[0].ShardId
			first := s.put(t, stream, "k", "1")
			between := time.Now()
			require.Eventually(t, func() bool { return time.Since(between) > 30*time.Millisecond }, time.Second, time.Millisecond)
			second := s.put(t, stream, "k", "2")
			latest := s.iterator(t, kinesis.GetShardIteratorInput{StreamName: &stream, ShardId: &shard, ShardIteratorType: "LATEST"})
			s.put(t, stream, "k", "3")
			require.Positive(t, number(t, *second.SequenceNumber).Cmp(number(t, *first.SequenceNumber)))
			for kind, tc := range map[types.ShardIteratorType]struct {
				seq  *string
				at   *time.Time
				want []string
			}{
				"TRIM_HORIZON":          {want: []string{"1", "2", "3"}},
				"AT_SEQUENCE_NUMBER":    {seq: second.SequenceNumber, want: []string{"2", "3"}},
				"AFTER_SEQUENCE_NUMBER": {seq: second.SequenceNumber, want: []string{"3"}},
				"AT_TIMESTAMP":          {at: aws.Time(between.Add(15 * time.Millisecond)), want: []string{"2", "3"}},
			} {
				records, _ := s.read(t, s.iterator(t, kinesis.GetShardIteratorInput{
					StreamName: &stream, ShardId: &shard, ShardIteratorType: kind, StartingSequenceNumber: tc.seq, Timestamp: tc.at,
				}))
				require.Equal(t, tc.want, texts(records), kind)
				for { // five calls a second
					if _, err := s.kinesis.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: &stream}); err == nil {
						break
					}
				}
			}
			records, out := s.read(t, latest)
			require.Equal(t, []string{"3"}, texts(records))
			require.NotNil(t, out.NextShardIterator)
		}},
		{"the key's MD5 picks the shard, an explicit hash key overrules it", kinesisAPI + "API_PutRecord.html", func(t *testing.T, s *suite) {
			stream := s.stream(t, 3)
			in := func(hash *big.Int) string {
				for _, sh := range s.shards(t, stream) {
					if number(t, *sh.HashKeyRange.StartingHashKey).Cmp(hash) <= 0 && number(t, *sh.HashKeyRange.EndingHashKey).Cmp(hash) >= 0 {
						return *sh.ShardId
					}
				}
				return ""
			}
			for i := range 6 {
				key := fmt.Sprint("key", i)
				sum := md5.Sum([]byte(key))
				require.Equal(t, in(new(big.Int).SetBytes(sum[:])), *s.put(t, stream, key, "x").ShardId)
			}
			out, err := s.kinesis.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: &stream, PartitionKey: aws.String("k"), ExplicitHashKey: aws.String("0"), Data: []byte("x")})
			require.NoError(t, err)
			require.Equal(t, in(big.NewInt(0)), *out.ShardId)
		}},
		{"after a split the parent ends and its children go on", kinesisAPI + "API_SplitShard.html", func(t *testing.T, s *suite) {
			stream := s.stream(t, 1)
			parent := s.shards(t, stream)[0]
			s.put(t, stream, "k", "before")
			half := new(big.Int).Div(number(t, *parent.HashKeyRange.EndingHashKey), big.NewInt(2))
			_, err := s.kinesis.SplitShard(t.Context(), &kinesis.SplitShardInput{StreamName: &stream, ShardToSplit: parent.ShardId, NewStartingHashKey: aws.String(half.String())})
			require.NoError(t, err)
			require.Eventually(t, func() bool { return len(s.shards(t, stream)) == 3 }, 30*time.Second, 100*time.Millisecond)
			after := s.put(t, stream, "k", "after")
			require.NotEqual(t, *parent.ShardId, *after.ShardId)
			records, last := s.read(t, s.iterator(t, kinesis.GetShardIteratorInput{StreamName: &stream, ShardId: parent.ShardId, ShardIteratorType: "TRIM_HORIZON"}))
			require.Equal(t, []string{"before"}, texts(records))
			require.Nil(t, last.NextShardIterator)
			require.Len(t, last.ChildShards, 2)
			for _, sh := range s.shards(t, stream) {
				if *sh.ShardId == *parent.ShardId {
					require.NotNil(t, sh.SequenceNumberRange.EndingSequenceNumber)
				} else {
					require.Equal(t, *parent.ShardId, *sh.ParentShardId)
				}
			}
		}},
		{"PutRecords takes 500 records and answers each", kinesisAPI + "API_PutRecords.html", func(t *testing.T, s *suite) {
			stream := s.stream(t, 1)
			records := func(n int) (out []types.PutRecordsRequestEntry) {
				for range n {
					out = append(out, types.PutRecordsRequestEntry{PartitionKey: aws.String("k"), Data: []byte("x")})
				}
				return out
			}
			_, err := s.kinesis.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: &stream, Records: records(501)})
			require.Error(t, err)
			out, err := s.kinesis.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: &stream, Records: records(500)})
			require.NoError(t, err)
			require.Len(t, out.Records, 500)
		}},
		{"a shard takes 1,000 records a second; the rest of a call fails by record", "https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html", func(t *testing.T, s *suite) {
			stream := s.stream(t, 1)
			records := make([]types.PutRecordsRequestEntry, 500)
			for i := range records {
				records[i] = types.PutRecordsRequestEntry{PartitionKey: aws.String("k"), Data: []byte("x")}
			}
			failed := 0
			for range 4 {
				out, err := s.kinesis.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: &stream, Records: records})
				require.NoError(t, err)
				for _, r := range out.Records {
					if r.ErrorCode != nil {
						require.Equal(t, "ProvisionedThroughputExceededException", *r.ErrorCode)
						failed++
					}
				}
			}
			require.Positive(t, failed)
			require.Less(t, failed, 1500)
		}},
		{"what does not exist", kinesisAPI + "API_DescribeStreamSummary.html", func(t *testing.T, s *suite) {
			_, err := s.kinesis.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: aws.String(unique("none"))})
			requireCode(t, err, "ResourceNotFoundException")
			stream := s.stream(t, 1)
			_, err = s.kinesis.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{StreamName: &stream, ShardId: aws.String("shardId-000000000009"), ShardIteratorType: "LATEST"})
			requireCode(t, err, "ResourceNotFoundException")
		}},
	}
}
