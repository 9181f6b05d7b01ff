package fakestream

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// begin counts a call and returns what Fail says of it.
func (s *Stream) begin(op string) error {
	s.calls[op]++
	return s.fail(op)
}

// DescribeStreamSummary implements shardreader.Client.
func (s *Stream) DescribeStreamSummary(_ context.Context, in *kinesis.DescribeStreamSummaryInput, _ ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin("DescribeStreamSummary"); err != nil {
		return nil, err
	}

	return &kinesis.DescribeStreamSummaryOutput{StreamDescriptionSummary: &types.StreamDescriptionSummary{
		StreamARN: aws.String(s.arn()), StreamName: aws.String("s"),
		StreamCreationTimestamp: aws.Time(s.created), RetentionPeriodHours: aws.Int32(int32(s.keeps / time.Hour)),
	}}, nil
}

// ListShards implements shardreader.Client.
func (s *Stream) ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin("ListShards"); err != nil {
		return nil, err
	}

	out := &kinesis.ListShardsOutput{}
	for _, id := range s.order {
		out.Shards = append(out.Shards, s.shards[id].Shard)
	}
	return out, nil
}

// GetShardIterator implements shardreader.Client.
func (s *Stream) GetShardIterator(_ context.Context, in *kinesis.GetShardIteratorInput, _ ...func(*kinesis.Options)) (*kinesis.GetShardIteratorOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin("GetShardIterator"); err != nil {
		return nil, err
	}

	sh, ok := s.shards[*in.ShardId]
	if !ok {
		return nil, missing("shard " + *in.ShardId)
	}

	from, err := s.position(sh, types.StartingPosition{Type: in.ShardIteratorType, SequenceNumber: in.StartingSequenceNumber, Timestamp: in.Timestamp})
	if err != nil {
		return nil, err
	}
	return &kinesis.GetShardIteratorOutput{ShardIterator: s.iterator(*in.ShardId, from)}, nil
}

// position is the first sequence number to come.
func (s *Stream) position(sh *shard, in types.StartingPosition) (string, error) {
	switch in.Type {
	case types.ShardIteratorTypeLatest:
		return sequence(s.next + 1), nil
	case types.ShardIteratorTypeAtSequenceNumber, types.ShardIteratorTypeAfterSequenceNumber:
		if *in.SequenceNumber > sequence(s.next) {
			return "", &types.InvalidArgumentException{Message: aws.String("no such sequence number")}
		}
		if in.Type == types.ShardIteratorTypeAfterSequenceNumber {
			return behind(*in.SequenceNumber), nil
		}
		return *in.SequenceNumber, nil
	case types.ShardIteratorTypeAtTimestamp:
		for _, r := range sh.records {
			if !r.ApproximateArrivalTimestamp.Before(*in.Timestamp) {
				return *r.SequenceNumber, nil
			}
		}
		return sequence(s.next + 1), nil
	case types.ShardIteratorTypeTrimHorizon:
		return "0", nil
	}
	return "", fmt.Errorf("fakestream: starting position %s", in.Type)
}

// behind returns what sorts right behind a sequence number and before the next.
func behind(seq string) string { return seq + "+" }

func (s *Stream) iterator(shardID, from string) *string {
	return aws.String(strings.Join([]string{shardID, from, strconv.FormatInt(s.created.UnixMilli(), 10), strconv.Itoa(s.era)}, " "))
}

// GetRecords implements shardreader.Client.
func (s *Stream) GetRecords(_ context.Context, in *kinesis.GetRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin("GetRecords"); err != nil {
		return nil, err
	}

	// As Kinesis does, an iterator of a stream that was recreated is refused, one
	// of this stream that is too old has expired.
	parts := strings.Fields(*in.ShardIterator)
	if len(parts) != 4 || parts[2] != strconv.FormatInt(s.created.UnixMilli(), 10) {
		return nil, &types.InvalidArgumentException{Message: aws.String("not an iterator of this stream")}
	}
	if parts[3] != strconv.Itoa(s.era) {
		return nil, &types.ExpiredIteratorException{Message: aws.String("expired")}
	}

	sh, ok := s.shards[parts[0]]
	if !ok {
		return nil, missing("shard " + parts[0])
	}
	return s.read(sh, parts[1]), nil
}

// read returns a shard's records from a sequence number on, as one answer.
func (s *Stream) read(sh *shard, from string) *kinesis.GetRecordsOutput {
	out := &kinesis.GetRecordsOutput{MillisBehindLatest: aws.Int64(0)}
	for i, r := range sh.records {
		if *r.SequenceNumber < from {
			continue
		}
		if len(out.Records) == s.limit {
			last := out.Records[s.limit-1] // as far behind as the last one read is old
			out.MillisBehindLatest = aws.Int64(max(1, time.Since(*last.ApproximateArrivalTimestamp).Milliseconds()))
			out.NextShardIterator = s.iterator(*sh.ShardId, *r.SequenceNumber)
			return out
		}
		out.Records = append(out.Records, sh.records[i])
	}

	// No next iterator is how Kinesis tells that a closed shard is drained.
	if !sh.closed {
		next := from
		if n := len(out.Records); n > 0 {
			next = behind(*out.Records[n-1].SequenceNumber)
		}
		out.NextShardIterator = s.iterator(*sh.ShardId, next)
	}
	return out
}
