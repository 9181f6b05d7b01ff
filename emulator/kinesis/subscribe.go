package kinesis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"tandem/emulator/wire"
)

const (
	// subscriptionLife is how long an answer lasts.
	// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_SubscribeToShard.html
	subscriptionLife = 5 * time.Minute
	// heartbeatEvery is how often a subscription without records says that it
	// lives. AWS takes about 5 s; readers call 3 s of silence stale.
	heartbeatEvery = 2 * time.Second
	// maxEventBytes bounds an event's keys and data; one record always fits.
	maxEventBytes = 1 << 20
)

type subscribeIn struct {
	ConsumerARN      string
	ShardID          string `json:"ShardId"`
	StartingPosition position
}

// subscribe checks a call of SubscribeToShard and takes its place; fanOut then
// answers.
func (s *Service) subscribe(ctx context.Context, in subscribeIn) (wire.Stream, error) {
	stream, name := splitConsumerARN(in.ConsumerARN)
	st, done, err := s.acquire(target{StreamName: stream})
	if err != nil {
		return nil, err
	}
	defer done()

	c, err := st.info.registered(name, in.ConsumerARN)
	if err != nil {
		return nil, err
	}
	if c.creating(s.nowMS()) {
		return nil, wire.Bad("ResourceInUseException", "Consumer %s is in CREATING status.", in.ConsumerARN)
	}

	sh, err := st.shard(in.ShardID)
	if err != nil {
		return nil, err
	}
	seq, err := s.start(st, sh, in.StartingPosition)
	if err != nil {
		return nil, err
	}

	// Last of all checks: a call that is refused must not end the subscription
	// before it.
	who := subscriber{stream, in.ConsumerARN, in.ShardID}
	ctx, err = s.subs.begin(ctx, who)
	if err != nil {
		return nil, err
	}

	f := &fanOut{s: s, shard: sh, next: seq, rate: bucket{perSecond: readBytes}}
	return func(_ context.Context, events *wire.Events) error {
		defer s.subs.finish(ctx, who)
		return f.run(ctx, events)
	}, nil
}

// fanOut is one answer of SubscribeToShard.
type fanOut struct {
	s     *Service
	shard *shard
	next  uint64 // the first sequence that was not sent
	rate  bucket // of this subscription alone
	buf   []byte
}

var errLifeOver = errors.New("the subscription is over")

// run sends the records up to the tip and then waits for more, until the shard
// ends, the subscription's time is over, or ctx says why not.
func (f *fanOut) run(ctx context.Context, events *wire.Events) error {
	ctx, cancel := context.WithTimeoutCause(ctx, subscriptionLife, errLifeOver)
	defer cancel()

	idle := time.NewTicker(heartbeatEvery)
	defer idle.Stop()

	// The first event is sent at once, even if it has no records.
	for due := true; ; {
		// Before reading: a record that arrives after the reading still wakes
		// the wait.
		arrivals := f.shard.nextArrival()
		b, w, err := f.read()
		// Looked at before the result: the shard of a deleted stream looks empty.
		if cause := context.Cause(ctx); cause != nil {
			return endOf(cause)
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", f.shard.id, err)
		}

		if b.count > 0 || due && !w.ended {
			if err := events.Send("SubscribeToShardEvent", f.event(b, w)); err != nil {
				return err
			}
			idle.Reset(heartbeatEvery)
		}

		if w.ended {
			return events.Send("SubscribeToShardEvent", f.endEvent())
		}

		// An event is full before the tip: there is more to send at once.
		if w.stopped {
			arrivals = closed()
		}
		if due, err = f.wait(ctx, arrivals, idle.C); err != nil {
			return endOf(err)
		}
	}
}

// endOf returns how an answer ends: without an error where its time is over.
func endOf(cause error) error {
	if errors.Is(cause, errLifeOver) {
		return nil
	}
	return cause
}

func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// wait waits for more to send, and then until the rate allows it; due reports
// whether it is time for an event even if there are no records.
func (f *fanOut) wait(ctx context.Context, arrivals <-chan struct{}, idle <-chan time.Time) (due bool, err error) {
	select {
	case <-arrivals:
	case <-idle:
		due = true
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}

	// The records of an event are charged when they are read, so the debt is
	// waited for before the next reading.
	f.rate.refill(time.Now())
	if !f.s.o.Limits || f.rate.level >= 0 {
		return due, context.Cause(ctx)
	}

	pace := time.NewTimer(f.rate.wait())
	defer pace.Stop()

	select {
	case <-pace.C:
		return due, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// nextArrival returns a channel that is closed at the shard's next record, or
// its end.
func (sh *shard) nextArrival() <-chan struct{} {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed != 0 {
		return closed()
	}
	if sh.arrivals == nil {
		sh.arrivals = make(chan struct{})
	}
	return sh.arrivals
}

// read takes the next records into the buffer, behind an event's beginning.
func (f *fanOut) read() (*batch, scanResult, error) {
	info, now := f.shard.stream.topology(), f.s.o.Now()
	b := &batch{json: append(f.buf[:0], `{"Records":[`...), encryption: info.encryption(), horizon: info.horizon(now.UnixMilli()), most: maxGetRecords}
	w, err := f.s.scan(f.shard, f.next, func(r record) bool { return b.add(r, maxEventBytes) })
	if err != nil {
		return nil, scanResult{}, err
	}

	f.next = w.next
	f.rate.refill(time.Now())
	f.rate.level -= float64(b.size)

	f.shard.mu.Lock()
	defer f.shard.mu.Unlock()
	f.shard.meter.add(now, counts{outRecords: int64(b.count), outBytes: int64(b.size)})

	return b, w, nil
}

// event writes an event around the records that read took. Its continuation is
// the last sequence that needs no sending any more, a record's or not.
func (f *fanOut) event(b *batch, w scanResult) []byte {
	out := append(b.json, `],"ContinuationSequenceNumber":"`...)
	out = appendSequence(out, max(f.next-1, f.shard.firstSeq))
	out = append(out, `","MillisBehindLatest":`...)
	out = append(strconv.AppendInt(out, b.millisBehind(w, f.s.nowMS()), 10), '}')
	f.buf = out
	return out
}

// endEvent is the event at a shard's end: it has no continuation, as the KCL
// wants it, and names the children.
func (f *fanOut) endEvent() []byte {
	return append(append([]byte(`{"Records":[],"MillisBehindLatest":0,"ChildShards":`), f.shard.children()...), '}')
}
