package messaging

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"tandem/services/domain/profile"
)

// setRetention sets each stream's retention to the stack's, where it has another:
// LocalStack 4.14.0 creates every stream with 24 hours.
func (t *tool) setRetention(ctx context.Context, parameters map[string]string) error {
	for _, r := range t.template.resources {
		want, err := strconv.Atoi(r.property("RetentionPeriodHours", parameters))
		if r.kind != kindStream || err != nil {
			continue
		}

		has, err := t.summary(ctx, r.name)
		if err != nil {
			return err
		}
		hours := aws.ToInt32(has.RetentionPeriodHours)
		switch {
		case int(hours) == want:
			continue
		case int(hours) < want:
			_, err = t.kinesis.IncreaseStreamRetentionPeriod(ctx, &kinesis.IncreaseStreamRetentionPeriodInput{StreamName: &r.name, RetentionPeriodHours: aws.Int32(int32(want))})
		default:
			_, err = t.kinesis.DecreaseStreamRetentionPeriod(ctx, &kinesis.DecreaseStreamRetentionPeriodInput{StreamName: &r.name, RetentionPeriodHours: aws.Int32(int32(want))})
		}

		if err != nil {
			return fmt.Errorf("messaging: retention of %s: %w", r.name, err)
		}
		t.say("  %s kept records for %d hours, not for %d as the stack says: set through Kinesis' own API.", r.name, hours, want)
	}
	return nil
}

// checkShards compares the open shards with the stack. On AWS a stream that was
// resharded has others than its stack says, on purpose; LocalStack 4.14.0
// reports an update of ShardCount as done and changes nothing. A count that is no
// parameter cannot be updated.
func (t *tool) checkShards(ctx context.Context, parameters map[string]string) error {
	for _, r := range t.template.resources {
		want := r.property("ShardCount", parameters)
		if r.kind != kindStream || r.properties["ShardCount"].Tag != "!Ref" {
			continue
		}

		has, err := t.summary(ctx, r.name)
		if err != nil {
			return err
		}
		open := strconv.Itoa(int(aws.ToInt32(has.OpenShardCount)))
		switch {
		case open == want:
		case t.cfg.Backend == profile.LocalStack:
			return fmt.Errorf("messaging: %w: %s has %s open, the stack says %s. LocalStack 4.14.0 reports an update of ShardCount as done and changes nothing: tandem messaging delete, then deploy again (the stream's records are lost)", ErrShards, r.name, open, want)
		default:
			t.say("  %s has %s open shards; the stack says %s. That is right where it was resharded since.", r.name, open, want)
		}
	}
	return nil
}

// summary waits until the stream can be changed, and describes it.
func (t *tool) summary(ctx context.Context, stream string) (*types.StreamDescriptionSummary, error) {
	for {
		out, err := t.kinesis.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &stream})
		if err != nil {
			return nil, fmt.Errorf("messaging: stream %s: %w", stream, err)
		}
		if s := out.StreamDescriptionSummary; s.StreamStatus != types.StreamStatusUpdating && s.StreamStatus != types.StreamStatusCreating {
			return s, nil
		}
		if err := t.pause(ctx); err != nil {
			return nil, err
		}
	}
}
