package shardgroup

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"tandem/services/internal/stream/shardreader/fakestream"
)

// simClient is the stream as one process sees it.
type simClient struct{ p *proc }

// failStream lets calls of the stream fail for a while; 0 ends it.
func (s *sim) failStream(d time.Duration) {
	until := time.Now().Add(d)
	s.stream.Fail(func(string) error {
		switch {
		case time.Now().Before(until):
			return fakestream.ErrRefused
		case s.chance(func(r simRates) float64 { return r.fails }):
			return fakestream.Throttled()
		}
		return nil
	})
}

func ask[In, Out any](ctx context.Context, p *proc, f func(context.Context, In, ...func(*kinesis.Options)) (Out, error), in In) (out Out, err error) {
	if ctx, err = p.pass(ctx); err != nil {
		return out, err
	}
	if err := p.travel(ctx); err != nil {
		return out, err
	}
	if out, err = f(ctx, in); err == nil {
		err = p.answered(ctx)
	}
	return out, err
}

func (c simClient) DescribeStreamSummary(ctx context.Context, in *kinesis.DescribeStreamSummaryInput, _ ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error) {
	return ask(ctx, c.p, c.p.stream.DescribeStreamSummary, in)
}

func (c simClient) ListShards(ctx context.Context, in *kinesis.ListShardsInput, _ ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error) {
	return ask(ctx, c.p, c.p.stream.ListShards, in)
}

func (c simClient) GetShardIterator(ctx context.Context, in *kinesis.GetShardIteratorInput, _ ...func(*kinesis.Options)) (*kinesis.GetShardIteratorOutput, error) {
	return ask(ctx, c.p, c.p.stream.GetShardIterator, in)
}

func (c simClient) GetRecords(ctx context.Context, in *kinesis.GetRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error) {
	return ask(ctx, c.p, c.p.stream.GetRecords, in)
}
