package shardreader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Describe returns the stream as it is now.
func (r *Reader) Describe(ctx context.Context) (Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, r.o.CallTimeout)
	defer cancel()

	name, arn := r.o.names()
	out, err := r.o.Client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: name, StreamARN: arn})
	if err != nil {
		return Stream{}, fmt.Errorf("describe stream %s: %w", r.o.Stream, err)
	}
	s := out.StreamDescriptionSummary
	if s == nil {
		return Stream{}, fmt.Errorf("describe stream %s: empty answer", r.o.Stream)
	}

	// Milliseconds are what a database and the wire keep alike: compared finer,
	// the same stream would look recreated.
	return Stream{
		ARN: aws.ToString(s.StreamARN), Created: aws.ToTime(s.StreamCreationTimestamp).Truncate(time.Millisecond),
		Retention: time.Duration(aws.ToInt32(s.RetentionPeriodHours)) * time.Hour,
	}, nil
}

// Shards lists the stream's shards that are still kept.
func (r *Reader) Shards(ctx context.Context) ([]Shard, error) {
	ctx, cancel := context.WithTimeout(ctx, r.o.CallTimeout)
	defer cancel()

	var shards []Shard
	name, arn := r.o.names()
	in := &kinesis.ListShardsInput{StreamName: name, StreamARN: arn}
	for {
		out, err := r.o.Client.ListShards(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list shards of %s: %w", r.o.Stream, err)
		}
		for _, s := range out.Shards {
			shards = append(shards, shardOf(s))
		}

		if out.NextToken == nil {
			return shards, nil
		}
		in = &kinesis.ListShardsInput{NextToken: out.NextToken} // refused together with the name
	}
}

func shardOf(s types.Shard) Shard {
	out := Shard{ID: aws.ToString(s.ShardId), hashKeys: s.HashKeyRange}
	for _, p := range []*string{s.ParentShardId, s.AdjacentParentShardId} {
		if aws.ToString(p) != "" {
			out.Parents = append(out.Parents, *p)
		}
	}

	out.Closed = s.SequenceNumberRange != nil && s.SequenceNumberRange.EndingSequenceNumber != nil
	return out
}

// check compares the stream's creation time with the one that reading began
// with: ErrStreamChanged, or whatever the call failed with (errComparing).
func (r *Reader) check(ctx context.Context) error {
	now, err := r.describeNow(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errComparing, err)
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stream.Created.IsZero() {
		r.stream = now
	}
	if !r.stream.Created.Equal(now.Created) {
		return fmt.Errorf("%w: %s was created at %s, reading began on the one of %s", ErrStreamChanged,
			r.o.Stream, now.Created.UTC().Format(time.RFC3339Nano), r.stream.Created.UTC().Format(time.RFC3339Nano))
	}
	return nil
}

// gone reports whether err means that the stream has no such shard. The error
// alone does not tell: a stream that is missing is refused with the same one.
func (r *Reader) gone(ctx context.Context, shard string, err error) bool {
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		return false
	}

	shards, err := r.Shards(ctx)
	if err != nil || len(shards) == 0 {
		return false
	}

	for _, s := range shards {
		if s.ID == shard {
			return false
		}
	}
	return true
}
