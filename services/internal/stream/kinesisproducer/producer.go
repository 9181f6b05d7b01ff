package kinesisproducer

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// Client is the part of *kinesis.Client that a Producer needs.
type Client interface {
	PutRecords(context.Context, *kinesis.PutRecordsInput, ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error)
}

// Errors of Put.
var (
	ErrTooLarge = errors.New("kinesisproducer: the data does not fit into a record")
	ErrKey      = errors.New("kinesisproducer: a partition key has 1 to 256 characters")
	ErrClosed   = errors.New("kinesisproducer: closed")
	// ErrRefused: the stream will never take the item after the acknowledged ones as it
	// is; its own error is wrapped too. The rest of the Put was not sent.
	ErrRefused = errors.New("kinesisproducer: the stream refuses the data")
)

const (
	maxCallRecords = 500     // PutRecords' limit
	maxCallBytes   = 4 << 20 // well below PutRecords' 10 MiB: a lost answer repeats less
	callsInFlight  = 8
	firstPause     = 50 * time.Millisecond
	lastPause      = 2 * time.Second
)

// Producer puts data on one stream. It is safe for concurrent use; it sends
// while Run runs.
type Producer struct {
	o     Options
	calls chan struct{} // a place for each call in flight
	wake  chan struct{} // tells Run that there is something to look at
	gone  chan struct{} // closed when Run gives up: nothing is sent any more

	mu     sync.Mutex
	queues []bucketQueue // by bucket
	called time.Time     // when the last call was begun
	// perShard is the number of buckets whose last record each shard has.
	perShard map[string]int
	pending  int           // bytes that wait or are in flight
	room     chan struct{} // closed and replaced when pending falls
	closed   bool
}

// New returns a Producer that sends once Run runs. The error names the option that
// is wrong.
func New(o Options) (*Producer, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}

	p := &Producer{
		o: o, queues: make([]bucketQueue, o.Buckets.Count()), perShard: map[string]int{}, room: make(chan struct{}),
		wake: make(chan struct{}, 1), gone: make(chan struct{}), calls: make(chan struct{}, callsInFlight),
	}
	for i := range p.queues {
		p.queues[i].hashKey = o.Buckets.HashKey(i)
	}
	return p, nil
}

// signal wakes Run; one signal that waits stands for all.
func (p *Producer) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// release frees size bytes and wakes every Put that waits for room; mu is held.
func (p *Producer) release(size int) {
	p.pending -= size
	close(p.room)
	p.room = make(chan struct{})
}
