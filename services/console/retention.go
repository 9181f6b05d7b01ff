package console

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"tandem/services/domain/event"
)

// streamAPI is what the console needs of Kinesis.
type streamAPI interface {
	DescribeStreamSummary(context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error)
}

const (
	// retentionEvery is how often the stream is asked: people change a setting
	// seldom, and an account has 20 such calls a second.
	retentionEvery = time.Minute
	retentionFor   = 5 * time.Minute
)

// retention is how long the stream keeps a record, as it says itself. It is used by
// one goroutine at a time.
type retention struct {
	part[int]
	asked time.Time
}

func newRetention(stream streamAPI, now func() time.Time) *retention {
	ask := func(ctx context.Context) (int, error) {
		out, err := stream.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: aws.String(event.Stream)})
		if err != nil {
			return 0, err
		}
		return int(aws.ToInt32(out.StreamDescriptionSummary.RetentionPeriodHours)), nil
	}
	return &retention{part: part[int]{ask: ask, now: now}}
}

// hours returns it, or nil where the stream has not said so lately.
func (r *retention) hours(ctx context.Context) *int {
	if now := r.now(); now.Sub(r.asked) >= retentionEvery || r.failure() != nil {
		r.asked = now
		await([]<-chan struct{}{r.begin(ctx)})
	}

	hours, heard, _ := r.look(r.now())
	if heard.IsZero() || r.now().Sub(heard) > retentionFor {
		return nil
	}
	return &hours
}
