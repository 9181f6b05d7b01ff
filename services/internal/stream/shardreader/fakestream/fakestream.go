// Package fakestream is a stream in memory that behaves as Kinesis is allowed
// to, for tests of readers: it throttles, forgets, expires iterators, splits
// shards and is recreated when told to. It waits for nothing, so that it works
// inside testing/synctest. It is used as a client; it speaks no HTTP.
package fakestream

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Stream is one stream. The zero value is not usable; see New.
type Stream struct {
	mu      sync.Mutex
	created time.Time
	keeps   time.Duration // what it says; Trim drops
	shards  map[string]*shard
	order   []string
	next    int // sequence numbers rise over the stream's life
	limit   int
	era     int // iterators that carry an older one have expired
	fail    func(op string) error
	calls   map[string]int

	consumers map[string]*consumer // by ARN
	mute      bool                 // subscriptions bring nothing
	changed   chan struct{}        // closed and replaced at each change: wakes subscriptions
}

type shard struct {
	types.Shard
	records []types.Record
	closed  bool
}

// New returns a stream with the named shards.
func New(shards ...string) *Stream {
	s := &Stream{fail: func(string) error { return nil }, limit: 10_000, keeps: 24 * time.Hour, calls: map[string]int{}, changed: make(chan struct{})}
	s.Recreate(shards...)
	return s
}

// SetCreated changes the stream's creation time, so that the fakes of several
// processes are the same stream to their readers.
func (s *Stream) SetCreated(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.created = t.Truncate(time.Millisecond)
}

// SetRetention changes for how long the stream says that it keeps records, in hours.
func (s *Stream) SetRetention(hours int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keeps = time.Duration(hours) * time.Hour
}

// Recreate deletes the stream and creates it again; sequence numbers start again.
func (s *Stream) Recreate(shards ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()

	// A fake clock may stand still, but a reader tells two lives apart by their
	// creation times alone.
	created := time.Now().Truncate(time.Millisecond)
	if !created.After(s.created) {
		created = s.created.Add(time.Millisecond)
	}
	s.created, s.shards, s.order, s.next = created, map[string]*shard{}, nil, 0
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
		// Another range, not a change of this one: ListShards has handed it out.
		s.shards[p].SequenceNumberRange = &types.SequenceNumberRange{
			StartingSequenceNumber: s.shards[p].SequenceNumberRange.StartingSequenceNumber, EndingSequenceNumber: aws.String(sequence(s.next)),
		}
	}

	for _, c := range children {
		s.add(c, parents...)
	}
	s.wake()
}

// Put adds a record that arrives now and returns its sequence number.
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

// Drop forgets a shard, as Kinesis does once all records of a closed one have
// passed retention.
func (s *Stream) Drop(shardID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.shards, shardID)
	s.order = slices.DeleteFunc(s.order, func(id string) bool { return id == shardID })
}

// Expire makes every iterator returned so far an expired one.
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

// Fail makes calls end with what f returns for their name ("GetRecords"); nil
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

// ErrRefused is a connection that is refused, for Fail.
var ErrRefused = errors.New("connection refused")

func sequence(n int) string { return fmt.Sprintf("%020d", n) }

func missing(what string) error {
	return &types.ResourceNotFoundException{Message: aws.String(what + " not found")}
}
