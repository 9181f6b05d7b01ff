package kinesisproducer

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"tandem/services/internal/stream/kpl"
)

// Client is what the producer needs of Kinesis.
type Client interface {
	PutRecords(context.Context, *kinesis.PutRecordsInput, ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error)
}

// Options configures a Producer.
type Options struct {
	Client  Client
	Stream  string
	Buckets kpl.Buckets // fixed for the life of the stream
	Log     *slog.Logger

	Linger       time.Duration // how long the first datum of an aggregate waits for more
	AggregateMax int           // bytes of one record; 0: 48 kB
	MaxPending   int           // bytes that may wait; 0: 32 MB
	CallWithin   time.Duration // bound of one PutRecords; 0: 5 s
	// Report, when set, hears of each record that was acknowledged.
	Report func(shard string, userRecords, bytes int)
}

// Errors of Put.
var (
	ErrTooLarge = errors.New("kinesisproducer: the datum does not fit into a record")
	ErrClosed   = errors.New("kinesisproducer: closed")
)

const (
	defaultAggregate  = 48 << 10
	defaultPending    = 32 << 20
	defaultCallWithin = 5 * time.Second
	maxCallRecords    = 500     // PutRecords' limit
	maxCallBytes      = 4 << 20 // well below PutRecords' 10 MiB: a lost answer repeats less
	callsInAir        = 8
	firstPause        = 50 * time.Millisecond
	lastPause         = 2 * time.Second
)

// Producer puts data. It is safe for concurrent use; Run must run.
type Producer struct {
	o       Options
	mu      sync.Mutex
	lines   []line
	pending int           // bytes that wait or are in the air
	room    chan struct{} // closed and made anew when pending falls
	wake    chan struct{}
	closed  bool
	fail    error // why the last call failed; nil when it did not
	calls   chan struct{}
}

// line is one bucket's data, in order.
type line struct {
	waiting []*datum
	air     []*datum // the aggregate in the air, or waiting to be sent again
	retry   *attempt
	hashKey string
}

// datum is one piece of data that was put.
type datum struct {
	key    string
	data   []byte
	since  time.Time
	put    *put
	number int // of its put
}

// put is one call of Put.
type put struct {
	acked   []bool
	left    int
	settled chan struct{} // closed when nothing of it is left
}

// New makes a producer; Run sends.
func New(o Options) *Producer {
	if o.AggregateMax == 0 {
		o.AggregateMax = defaultAggregate
	}
	if o.MaxPending == 0 {
		o.MaxPending = defaultPending
	}
	if o.CallWithin == 0 {
		o.CallWithin = defaultCallWithin
	}
	p := &Producer{
		o: o, lines: make([]line, o.Buckets.Count()), room: make(chan struct{}),
		wake: make(chan struct{}, 1), calls: make(chan struct{}, callsInAir),
	}
	for i := range p.lines {
		p.lines[i].hashKey = o.Buckets.HashKey(i)
	}
	return p
}

// Ready gives why the last call of the stream failed, or nil.
func (p *Producer) Ready(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fail
}

// Put puts data of one key, in order, and waits until all of it is durable.
// acked is how many, from the first, are: with an error, sending again from
// acked on keeps the key's order. A key must have one Put at a time.
func (p *Producer) Put(ctx context.Context, key string, data ...[]byte) (acked int, err error) {
	size := 0
	for _, d := range data {
		size += len(d)
		if len(d)+len(key)+recordOverhead > p.o.AggregateMax {
			return 0, ErrTooLarge
		}
	}
	if len(data) == 0 {
		return 0, nil
	}
	bucket := p.o.Buckets.Of(key)
	this, err := p.enqueue(ctx, bucket, key, data, size)
	if err != nil {
		return 0, err
	}
	select {
	case <-this.settled:
		return len(data), nil
	case <-ctx.Done():
	}
	return p.abandon(bucket, this), ctx.Err()
}

// recordOverhead is more than what the aggregated format adds to one datum
// alone in its record.
const recordOverhead = 128

func (p *Producer) enqueue(ctx context.Context, bucket int, key string, data [][]byte, size int) (*put, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.pending > 0 && p.pending+size > p.o.MaxPending && !p.closed {
		room := p.room
		p.mu.Unlock()
		select {
		case <-ctx.Done():
			p.mu.Lock()
			return nil, ctx.Err()
		case <-room:
		}
		p.mu.Lock()
	}
	if p.closed {
		return nil, ErrClosed
	}
	this := &put{acked: make([]bool, len(data)), left: len(data), settled: make(chan struct{})}
	now := time.Now()
	l := &p.lines[bucket]
	for i, d := range data {
		l.waiting = append(l.waiting, &datum{key: key, data: d, since: now, put: this, number: i})
	}
	p.pending += size
	p.signal()
	return this, nil
}

func (p *Producer) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// abandon withdraws what was not sent yet and gives how many, from the first,
// are acknowledged.
func (p *Producer) abandon(bucket int, this *put) (acked int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := &p.lines[bucket]
	kept := l.waiting[:0]
	for _, d := range l.waiting {
		if d.put == this {
			p.release(len(d.data))
			continue
		}
		kept = append(kept, d)
	}
	clear(l.waiting[len(kept):])
	l.waiting = kept
	for acked < len(this.acked) && this.acked[acked] {
		acked++
	}
	return acked
}

func (p *Producer) release(size int) {
	p.pending -= size
	close(p.room)
	p.room = make(chan struct{})
}
