package reshard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"tandem/services/internal/awsclient"
	"tandem/services/internal/stream/kpl"
)

// Client is the part of *kinesis.Client that a Tool uses.
type Client interface {
	DescribeStreamSummary(context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error)
	ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error)
	SplitShard(context.Context, *kinesis.SplitShardInput, ...func(*kinesis.Options)) (*kinesis.SplitShardOutput, error)
	MergeShards(context.Context, *kinesis.MergeShardsInput, ...func(*kinesis.Options)) (*kinesis.MergeShardsOutput, error)
	UpdateShardCount(context.Context, *kinesis.UpdateShardCountInput, ...func(*kinesis.Options)) (*kinesis.UpdateShardCountOutput, error)
}

// NewClient returns a client of the Kinesis that cfg names.
func NewClient(ctx context.Context, cfg awsclient.Config) (Client, error) {
	c, err := awsclient.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return kinesis.NewFromConfig(c), nil
}

// Tool changes the shards of one stream; all fields are needed. It is for one
// goroutine.
type Tool struct {
	Client  Client
	Stream  string
	Buckets kpl.Buckets   // of the stream's producers
	Wait    time.Duration // until the stream must be ACTIVE, before and after the change together
	Every   time.Duration // the time between two looks
	Out     io.Writer     // lineage and progress
}

// ErrDeadline is of a stream that was not ACTIVE, with the change in its list, in time.
var ErrDeadline = errors.New("not ACTIVE in time")

// Split splits an open shard in two, each with half of its buckets. Errors:
// ErrRefused, ErrDeadline, and what Kinesis says.
func (t Tool) Split(ctx context.Context, shard string) error {
	return t.change(ctx, func(ctx context.Context, l lineage) (int, error) {
		at, err := l.planSplit(shard)
		if err != nil {
			return 0, err
		}

		_, err = t.Client.SplitShard(ctx, &kinesis.SplitShardInput{StreamName: &t.Stream, ShardToSplit: &shard, NewStartingHashKey: &at})
		return len(l.open()) + 1, err
	})
}

// Merge merges two adjacent open shards into one. Errors as Split's.
func (t Tool) Merge(ctx context.Context, a, b string) error {
	return t.change(ctx, func(ctx context.Context, l lineage) (int, error) {
		low, high, err := l.planMerge(a, b)
		if err != nil {
			return 0, err
		}

		_, err = t.Client.MergeShards(ctx, &kinesis.MergeShardsInput{StreamName: &t.Stream, ShardToMerge: &low, AdjacentShardToMerge: &high})
		return len(l.open()) - 1, err
	})
}

// Scale makes the stream have so many shards of equal size. Errors as Split's.
func (t Tool) Scale(ctx context.Context, shards int) error {
	return t.change(ctx, func(ctx context.Context, l lineage) (int, error) {
		if err := l.planScale(shards); err != nil {
			return 0, err
		}

		_, err := t.Client.UpdateShardCount(ctx, &kinesis.UpdateShardCountInput{
			StreamName: &t.Stream, TargetShardCount: aws.Int32(int32(shards)), ScalingType: types.ScalingTypeUniformScaling, //nolint:gosec // at most the buckets
		})
		return shards, err
	})
}

// change does one change between two looks at the lineage. ask returns how many
// shards are open after it.
func (t Tool) change(ctx context.Context, ask func(context.Context, lineage) (int, error)) error {
	// The deadline is over all calls: an endpoint that does not answer holds up nobody.
	ctx, cancel := context.WithTimeoutCause(ctx, t.Wait, ErrDeadline)
	defer cancel()

	l, err := t.settled(ctx, 0)
	if err != nil {
		return err
	}
	if err := t.print("before", l); err != nil {
		return err
	}

	want, err := ask(ctx, l)
	if err != nil {
		return t.explain(ctx, err)
	}

	began := time.Now()
	l, err = t.settled(ctx, want)
	if err != nil {
		return fmt.Errorf("%w; Kinesis has taken the change and goes on with it", err)
	}
	_, _ = fmt.Fprintf(t.Out, "ACTIVE after %s\n", time.Since(began).Round(time.Millisecond))
	return t.print("after", l)
}

// settled waits until the stream is ACTIVE with so many open shards (0: any number),
// and returns its lineage.
func (t Tool) settled(ctx context.Context, want int) (lineage, error) {
	said := ""
	for {
		out, err := t.Client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &t.Stream})
		if err != nil {
			return lineage{}, t.explain(ctx, err)
		}
		s := out.StreamDescriptionSummary
		if s.StreamModeDetails != nil && s.StreamModeDetails.StreamMode == types.StreamModeOnDemand {
			return lineage{}, refuse("stream %s is on demand: Kinesis reshards it by itself", t.Stream)
		}

		open := int(aws.ToInt32(s.OpenShardCount))
		if s.StreamStatus == types.StreamStatusActive {
			l, err := t.list(ctx)
			if err != nil {
				return lineage{}, t.explain(ctx, err)
			}
			// ACTIVE may be the answer of before the change, so the list decides.
			if open = len(l.open()); want == 0 || open == want {
				return l, nil
			}
		}

		if now := fmt.Sprintf("%s is %s, %d open shards", t.Stream, s.StreamStatus, open); now != said {
			said = now
			_, _ = fmt.Fprintln(t.Out, now)
		}
		select {
		case <-ctx.Done():
			return lineage{}, t.explain(ctx, ctx.Err())
		case <-time.After(t.Every):
		}
	}
}

func (t Tool) list(ctx context.Context) (lineage, error) {
	l := lineage{buckets: t.Buckets}
	in := &kinesis.ListShardsInput{StreamName: &t.Stream}
	for {
		out, err := t.Client.ListShards(ctx, in)
		if err != nil {
			return l, err
		}
		l.shards = append(l.shards, out.Shards...)
		if out.NextToken == nil {
			return l, nil
		}
		in = &kinesis.ListShardsInput{NextToken: out.NextToken} // Kinesis refuses a name beside it
	}
}

// explain says what Kinesis' errors mean here.
func (t Tool) explain(ctx context.Context, err error) error {
	var (
		limit *types.LimitExceededException
		busy  *types.ResourceInUseException
		gone  *types.ResourceNotFoundException
	)

	switch {
	case errors.Is(err, ErrRefused):
		return err
	case errors.Is(context.Cause(ctx), ErrDeadline):
		return fmt.Errorf("reshard: stream %s: %w (%s)", t.Stream, ErrDeadline, t.Wait)
	case errors.As(err, &limit):
		return fmt.Errorf("reshard: Kinesis refuses by a limit: UpdateShardCount works ten times in 24 hours, five splits and merges a second, and an account has a number of shards: %w", err)
	case errors.As(err, &busy):
		return fmt.Errorf("reshard: stream %s is being changed already; try again when it is ACTIVE: %w", t.Stream, err)
	case errors.As(err, &gone):
		return fmt.Errorf("reshard: stream %s is not there: %w", t.Stream, err)
	}
	return fmt.Errorf("reshard: stream %s: %w", t.Stream, err)
}

// print shows the lineage, a line for each shard.
func (t Tool) print(when string, l lineage) error {
	w := tabwriter.NewWriter(t.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "%s, %s: %d open shards\nSHARD\tPARENTS\tSTATE\tBUCKETS\tFROM HASH KEY\tTO\n", t.Stream, when, len(l.open()))

	for _, s := range l.shards {
		var parents []string
		for _, p := range []*string{s.ParentShardId, s.AdjacentParentShardId} {
			if aws.ToString(p) != "" {
				parents = append(parents, *p)
			}
		}

		state := "closed"
		if isOpen(s) {
			state = "open"
		}
		_, n := l.holds(s)
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", aws.ToString(s.ShardId), strings.Join(parents, " "), state, n,
			aws.ToString(s.HashKeyRange.StartingHashKey), aws.ToString(s.HashKeyRange.EndingHashKey))
	}
	return w.Flush()
}
