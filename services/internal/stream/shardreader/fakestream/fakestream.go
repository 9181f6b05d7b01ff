// Package fakestream is a stream in memory that behaves as Kinesis is allowed
// to, for tests of readers: it throttles, forgets, expires iterators, splits
// shards and is made anew when told to. It waits for nothing, so that it works
// inside testing/synctest. For anything that must cross HTTP use testenv.Emulator.
package fakestream

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Stream is one stream. The zero value is not usable; see New.
type Stream struct {
	mu      sync.Mutex
	created time.Time
	shards  map[string]*shard
	order   []string
	next    int // sequence numbers rise over the stream's life
	limit   int
	era     int // iterators of an older era have expired
	fail    func(op string) error
	calls   map[string]int

	consumers map[string]*consumer // by ARN
	mute      bool                 // subscriptions bring nothing
	changed   chan struct{}        // closed and made anew at each change: wakes subscriptions
}

type shard struct {
	types.Shard
	records []types.Record
	closed  bool
}

// New makes a stream with the named shards.
func New(shards ...string) *Stream {
	s := &Stream{fail: func(string) error { return nil }, limit: 10_000, calls: map[string]int{}, changed: make(chan struct{})}
	s.Remake(shards...)
	return s
}

// MadeAt changes the stream's creation time: streams of several processes that
// are to be the same one.
func (s *Stream) MadeAt(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.created = t.Truncate(time.Millisecond)
}

// Remake deletes the stream and makes it anew; sequence numbers start again.
func (s *Stream) Remake(shards ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	made := time.Now()
	if !made.After(s.created) {
		made = s.created.Add(time.Millisecond)
	}
	s.created, s.shards, s.order, s.next = made.Truncate(time.Millisecond), map[string]*shard{}, nil, 0
	s.consumers = map[string]*consumer{}
	for _, id := range shards {
		s.add(id)
	}
	s.wake()
}

func (s *Stream) add(id string, parents ...string) {
	sh := &shard{Shard: types.Shard{ShardId: &id, SequenceNumberRange: &types.SequenceNumberRange{StartingSequenceNumber: aws.String("0")}}}
	if len(parents) > 0 {
		sh.ParentShardId = &parents[0]
	}
	if len(parents) > 1 {
		sh.AdjacentParentShardId = &parents[1]
	}
	s.shards[id], s.order = sh, append(s.order, id)
}

// Reshard closes the parents and opens the children.
func (s *Stream) Reshard(parents, children []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range parents {
		s.shards[p].closed = true
		s.shards[p].SequenceNumberRange.EndingSequenceNumber = aws.String(sequence(s.next))
	}
	for _, c := range children {
		s.add(c, parents...)
	}
	s.wake()
}

// Put adds a record that arrives now and gives its sequence number.
func (s *Stream) Put(shardID, key string, data []byte) string {
	return s.PutAt(time.Now(), shardID, key, data)
}

// PutAt adds a record with an arrival stamp of its own.
func (s *Stream) PutAt(at time.Time, shardID, key string, data []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	seq := sequence(s.next)
	sh := s.shards[shardID]
	sh.records = append(sh.records, types.Record{SequenceNumber: &seq, PartitionKey: &key, Data: data, ApproximateArrivalTimestamp: aws.Time(at.Truncate(time.Millisecond))})
	s.wake()
	return seq
}

// Trim drops the n oldest records of a shard.
func (s *Stream) Trim(shardID string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shards[shardID].records = s.shards[shardID].records[n:]
}

// Expire makes every iterator given so far an expired one.
func (s *Stream) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.era++
}

// Limit bounds the records of one answer.
func (s *Stream) Limit(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = n
}

// Fail makes calls end with what f gives for their name ("GetRecords"); nil
// lets them through.
func (s *Stream) Fail(f func(op string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

// Calls is how often an operation was called.
func (s *Stream) Calls(op string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[op]
}

// Throttled is the error that Kinesis throttles with.
func Throttled() error {
	return &types.ProvisionedThroughputExceededException{Message: aws.String("slow down")}
}

func sequence(n int) string { return fmt.Sprintf("%020d", n) }

func missing(what string) error {
	return &types.ResourceNotFoundException{Message: aws.String(what + " not found")}
}

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
		StreamARN: aws.String("arn:aws:kinesis:us-east-1:000000000000:stream/" + *in.StreamName), StreamName: in.StreamName,
		StreamCreationTimestamp: aws.Time(s.created), RetentionPeriodHours: aws.Int32(24),
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

// behind sorts right behind a sequence number.
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

func (s *Stream) read(sh *shard, from string) *kinesis.GetRecordsOutput {
	out := &kinesis.GetRecordsOutput{MillisBehindLatest: aws.Int64(0)}
	for i, r := range sh.records {
		if *r.SequenceNumber < from {
			continue
		}
		if len(out.Records) == s.limit {
			out.MillisBehindLatest = aws.Int64(max(1, time.Since(*r.ApproximateArrivalTimestamp).Milliseconds()))
			out.NextShardIterator = s.iterator(*sh.ShardId, *r.SequenceNumber)
			return out
		}
		out.Records = append(out.Records, sh.records[i])
	}
	if !sh.closed {
		next := from
		if n := len(out.Records); n > 0 {
			next = behind(*out.Records[n-1].SequenceNumber)
		}
		out.NextShardIterator = s.iterator(*sh.ShardId, next)
	}
	return out
}

// ErrRefused is a connection that is refused, for Fail.
var ErrRefused = errors.New("connection refused")
