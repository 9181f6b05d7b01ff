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

// poll makes one call and returns its batch and the time until the next call.
func (s *session) poll(ctx context.Context) (Batch, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, s.r.o.CallTimeout)
	defer cancel()

	var refused error
	if s.iterator == "" {
		refused = s.newIterator(ctx)
	}
	// After the iterator was got, and also where it was refused: of a stream that was created
	// just before, it is one of that stream's shard of the same name.
	if err := s.compare(ctx); err != nil {
		return Batch{}, 0, err
	}
	if refused != nil {
		return Batch{}, 0, refused
	}

	// Taken before the call is sent: an answer "at the tip" vouches for what
	// arrived before that, not for what arrived while it travelled.
	asOf := time.Now()
	limit := min(s.size.now, s.pace.records(s.each, s.behind), maxRecords)
	_, arn := s.r.o.names()
	out, err := s.r.o.Client.GetRecords(ctx, &kinesis.GetRecordsInput{
		StreamARN: arn, ShardIterator: &s.iterator, Limit: &limit,
	}, withoutRetries)
	if err != nil {
		// Only the call's own time is up: an error of a caller that left says nothing.
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			s.size.timedOut()
		}
		return Batch{}, 0, fmt.Errorf("get records of %s: %w", s.shard, err)
	}
	s.size.answered(time.Since(asOf))

	b := s.batch(out.Records, out.MillisBehindLatest)
	b.AsOf = asOf
	if out.NextShardIterator == nil {
		s.close(&b)
	}
	s.iterator = aws.ToString(out.NextShardIterator)

	n := 0
	for _, rec := range out.Records {
		n += len(rec.Data)
	}
	if len(out.Records) > 0 {
		s.each = float64(n) / float64(len(out.Records))
	}
	s.behind = b.Behind > 0
	return b, s.pace.ok(n, s.behind), nil
}

// withoutRetries lets a throttled call come back at once: the pace is ours.
func withoutRetries(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} }

// from returns where reading goes on, or begins.
func (s *session) from() types.StartingPosition {
	s.resuming = false
	switch {
	case s.continuation != "":
		return types.StartingPosition{Type: types.ShardIteratorTypeAfterSequenceNumber, SequenceNumber: aws.String(s.continuation)}
	case s.next.Sequence != "":
		// AT, not AFTER: the record may be an aggregate that was handled in part,
		// and that it comes shows that nothing after it was trimmed.
		s.resuming = true
		return types.StartingPosition{Type: types.ShardIteratorTypeAtSequenceNumber, SequenceNumber: aws.String(s.next.Sequence)}
	case s.kind == fromTime:
		return types.StartingPosition{Type: types.ShardIteratorTypeAtTimestamp, Timestamp: aws.Time(s.startAt)}
	case s.kind == fromLatest:
		// LATEST is asked for once: a second time it would skip what arrived in
		// between.
		s.kind = fromTime
		return types.StartingPosition{Type: types.ShardIteratorTypeLatest}
	}
	return types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon}
}

func (s *session) newIterator(ctx context.Context) error {
	from := s.from()
	name, arn := s.r.o.names()
	out, err := s.r.o.Client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: name, StreamARN: arn, ShardId: &s.shard,
		ShardIteratorType: from.Type, StartingSequenceNumber: from.SequenceNumber, Timestamp: from.Timestamp,
	})
	if err != nil {
		return fmt.Errorf("get iterator of %s: %w", s.shard, err)
	}

	s.iterator = aws.ToString(out.ShardIterator)
	return nil
}
