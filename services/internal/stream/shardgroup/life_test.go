package shardgroup_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// oldNews is a stream that goes on saying when it was first created.
type oldNews struct {
	*fakestream.Stream
	created time.Time
}

func (o oldNews) DescribeStreamSummary(ctx context.Context, in *kinesis.DescribeStreamSummaryInput, opts ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error) {
	out, err := o.Stream.DescribeStreamSummary(ctx, in, opts...)
	if err == nil {
		out.StreamDescriptionSummary.StreamCreationTimestamp = aws.Time(o.created)
	}
	return out, err
}

// A worker does not notice that the stream was recreated, and is in the middle of
// a batch of the old one.
func TestTheOldLifeIsFencedBeforeTheNewOneIsRead(t *testing.T) {
	t.Parallel()
	pool := applierDatabase(t)
	s := fakestream.New("0", "1")
	created := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	s.SetCreated(created)
	s.Put("0", "k", []byte("old"))

	in, out, result := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	var once sync.Once
	a := &applier{pool: pool, worker: "a"}
	start(t, s, a, func(o *shardgroup.Options) {
		o.Client = oldNews{s, created}
		o.Processor = func(string) shardgroup.Processor {
			return processor(func(ctx context.Context, b shardreader.Batch, commit shardgroup.Commit) error {
				first := false
				once.Do(func() { first = true })
				if !first {
					return a.Process(ctx, b, commit)
				}
				close(in)
				<-out
				err := a.Process(context.WithoutCancel(ctx), b, commit)
				result <- err
				return err
			})
		}
	})
	release := sync.OnceFunc(func() { close(out) })
	t.Cleanup(release)
	<-in

	s.Recreate("0", "1")
	start(t, s, &applier{pool: pool, worker: "b"}, nil)
	require.Eventually(t, func() bool { return count(t, pool, `SELECT count(*) FROM shardgroup.streams`) == 2 }, 20*time.Second, 10*time.Millisecond)
	put(s, 0, 2, "0", "1")
	eventually(t, pool, []string{"0000", "0001"}) // none of the new shards waits for a
	require.Equal(t, 2, count(t, pool, `SELECT count(*) FROM shardgroup.gaps WHERE reason = 'stream_recreated'`))

	release()
	require.ErrorIs(t, <-result, shardgroup.ErrFenced)
	require.Equal(t, []string{"0000", "0001"}, applied(t, pool), "nothing of the old life comes behind its gap")
}
