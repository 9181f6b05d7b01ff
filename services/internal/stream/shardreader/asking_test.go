package shardreader_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// Many shards that fail ask together, as often as an account's readers may.
func TestShardsShareTheCallsOfAnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shards []string
		for i := range 100 {
			shards = append(shards, fmt.Sprint(i))
		}
		s := fakestream.New(shards...)
		var c collect
		r := newReader(t, polling(s))
		require.NoError(t, during(t, func(ctx context.Context) error { return r.All(ctx, shardreader.Horizon(), c.handle) }, func() {
			time.Sleep(5 * time.Second)
			require.True(t, r.CaughtUp())
			begun := s.Calls("DescribeStreamSummary")
			require.LessOrEqual(t, begun, 11, "ten at once, and one for all who wait")

			s.Fail(func(op string) error {
				if op == "GetRecords" {
					return fakestream.ErrRefused
				}
				return nil
			})
			time.Sleep(time.Minute)
			require.LessOrEqual(t, s.Calls("DescribeStreamSummary")-begun, 612, "ten a second, and a few at once; the shards fail some 1,200 times")

			s.Fail(func(string) error { return nil })
			for _, shard := range shards {
				s.Put(shard, "k", []byte(shard))
			}
			time.Sleep(10 * time.Second)
			require.ElementsMatch(t, shards, c.got())
		}))
	})
}

// One shard's reader is stopped while others wait for its call.
func TestWhoeverWaitsForACallThatIsGivenUpCallsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowDescribe{Stream: fakestream.New("a", "b")}
		s.Put("b", "k", []byte("b"))
		o := polling(s.Stream)
		o.Client = s
		r := newReader(t, o)
		var c collect

		stopped, stop := context.WithCancel(t.Context())
		go func() { _ = r.Shard(stopped, "a", shardreader.Horizon(), c.handle) }()
		go func() { _ = r.Shard(stopped, "a", shardreader.Horizon(), c.handle) }()
		synctest.Wait() // the first call is under way, the second waits for its turn
		require.NoError(t, during(t, func(ctx context.Context) error {
			return r.Shard(ctx, "b", shardreader.Horizon(), c.handle)
		}, func() {
			synctest.Wait()
			stop()
			synctest.Wait()
			for _, st := range r.State() {
				require.True(t, st.Shard == "a" || st.Err == nil, "that another stopped is no failure")
			}
			time.Sleep(5 * time.Second)
			require.Equal(t, []string{"b"}, c.got())
		}))
	})
}

// What the stream was before somebody asked is no answer to him: it may be another since.
func TestAnAnswerIsNotOlderThanItsQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &lateDescribe{Stream: fakestream.New("a", "b")}
		created := time.Now().Add(-time.Hour)
		s.SetCreated(created)
		o := polling(s.Stream)
		o.Client, o.Created = s, created
		r := newReader(t, o)
		var c collect

		go func() { _ = r.Shard(t.Context(), "a", shardreader.Horizon(), c.handle) }()
		synctest.Wait() // a's call has its answer, which is on its way for a second
		s.Recreate("a", "b")
		s.Put("b", "k", []byte("another stream's"))
		require.ErrorIs(t, r.Shard(t.Context(), "b", shardreader.Horizon(), c.handle), shardreader.ErrStreamChanged)
		require.Empty(t, c.got())
		time.Sleep(time.Minute)
	})
}

// lateDescribe's answers take a second to arrive.
type lateDescribe struct{ *fakestream.Stream }

func (s *lateDescribe) DescribeStreamSummary(ctx context.Context, in *kinesis.DescribeStreamSummaryInput, o ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error) {
	out, err := s.Stream.DescribeStreamSummary(ctx, in, o...)
	time.Sleep(time.Second)
	return out, err
}

type slowDescribe struct{ *fakestream.Stream }

func (s *slowDescribe) DescribeStreamSummary(ctx context.Context, in *kinesis.DescribeStreamSummaryInput, o ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error) {
	select {
	case <-time.After(time.Second):
		return s.Stream.DescribeStreamSummary(ctx, in, o...)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// The account's limit says nothing of the shard's.
func TestAThrottledComparisonDoesNotSlowTheShard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		s.Fail(func(op string) error {
			if op == "DescribeStreamSummary" {
				return &types.LimitExceededException{Message: aws.String("slow down")}
			}
			return nil
		})
		var c collect
		r := newReader(t, polling(s))
		require.NoError(t, during(t, func(ctx context.Context) error { return r.Shard(ctx, "a", shardreader.Horizon(), c.handle) }, func() {
			time.Sleep(time.Minute)
			require.Error(t, r.State()[0].Err)
			require.Zero(t, r.State()[0].Throttled)
			s.Fail(func(string) error { return nil })
			s.Put("a", "k", []byte("1"))
			time.Sleep(6 * time.Second)
			require.Equal(t, []string{"1"}, c.got())
		}))
	})
}

// By ARN, which may be of another account, every call names the stream by it.
func TestAStreamByItsARN(t *testing.T) {
	both(t, func(t *testing.T, read way) {
		s := &byARN{Stream: fakestream.New("a"), t: t}
		s.Put("a", "k", []byte("1"))
		o := read(s.Stream)
		o.Client, o.Stream = s, "arn:aws:kinesis:us-east-1:000000000000:stream/s"
		r := newReader(t, o)
		var c collect
		require.NoError(t, r.All(t.Context(), shardreader.Horizon().Until(time.Now().Add(time.Second)), c.handle))
		require.Equal(t, []string{"1"}, c.got())

		if o.FanOut != nil {
			byName, err := r.Consumer(t.Context(), "c")
			require.NoError(t, err)
			same, err := r.Consumer(t.Context(), byName.ARN)
			require.NoError(t, err)
			require.Equal(t, byName, same)
			_, err = r.Consumer(t.Context(), "d")
			require.ErrorIs(t, err, shardreader.ErrNoConsumer)
		}
	})
}

type byARN struct {
	*fakestream.Stream
	t *testing.T
}

func (s *byARN) named(name, arn *string) {
	require.Nil(s.t, name)
	require.Equal(s.t, "arn:aws:kinesis:us-east-1:000000000000:stream/s", *arn)
}

func (s *byARN) DescribeStreamSummary(ctx context.Context, in *kinesis.DescribeStreamSummaryInput, o ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error) {
	s.named(in.StreamName, in.StreamARN)
	return s.Stream.DescribeStreamSummary(ctx, in, o...)
}

func (s *byARN) ListShards(ctx context.Context, in *kinesis.ListShardsInput, o ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error) {
	s.named(in.StreamName, in.StreamARN)
	return s.Stream.ListShards(ctx, in, o...)
}

func (s *byARN) GetShardIterator(ctx context.Context, in *kinesis.GetShardIteratorInput, o ...func(*kinesis.Options)) (*kinesis.GetShardIteratorOutput, error) {
	s.named(in.StreamName, in.StreamARN)
	return s.Stream.GetShardIterator(ctx, in, o...)
}

func (s *byARN) GetRecords(ctx context.Context, in *kinesis.GetRecordsInput, o ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error) {
	s.named(nil, in.StreamARN)
	return s.Stream.GetRecords(ctx, in, o...)
}
