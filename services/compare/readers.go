package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tandem/services/internal/queue/sqsworker"
	"tandem/services/internal/stream/shardreader"
)

const (
	visibility = 10 * time.Second
	// skew is how far this machine's clock may be ahead of the stream's. What is read
	// from before the session is left out by its name.
	skew = 5 * time.Second
)

// reading is a reader that runs until it is ended.
type reading struct {
	stop  context.CancelFunc
	ended chan struct{}
	state func() []shardreader.ShardState // of the stream's side
}

func begin(ctx context.Context, run func(context.Context)) *reading {
	ctx, stop := context.WithCancel(ctx)
	r := &reading{stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		run(ctx)
	}()
	return r
}

// end returns when the reader takes nothing more.
func (r *reading) end() {
	r.stop()
	<-r.ended
}

// decode returns the message of a body that belongs to the session.
func decode(body []byte, session string) (m message, ok bool) {
	err := json.Unmarshal(body, &m)
	return m, err == nil && m.Session == session && m.N > 0 && m.N <= maxPoints
}

// fromQueue lets a team receive from a queue and delete what it has.
func fromQueue(ctx context.Context, c *cloud, session, queue string, t *table, log *slog.Logger) (*reading, error) {
	w, err := sqsworker.New(sqsworker.Options{
		Client: c.sqs, Queue: queue, MaxInFlight: 10, Visibility: visibility, Drain: time.Second, Log: log,
		Handler: sqsworker.HandlerFunc(func(_ context.Context, m sqsworker.Message) sqsworker.Result {
			// It is in the table before it is deleted. What an earlier session has left is
			// deleted, too: nobody waits for it.
			if p, ok := decode(m.Body, session); ok {
				t.take(p.N, digestOf(m.Body), "")
			}
			return sqsworker.Done()
		}),
	})
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	return begin(ctx, func(ctx context.Context) { logged(log, w.Run(ctx)) }), nil
}

// fromStream lets a team read the stream from the session's beginning. It takes
// nothing from anybody: where it has read to is its own.
func fromStream(ctx context.Context, c *cloud, session string, since time.Time, every time.Duration, t *table, log *slog.Logger) (*reading, error) {
	reader, err := shardreader.New(shardreader.Options{Client: c.kinesis, Stream: StreamPoints, PollEvery: every, Log: log})
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	r := begin(ctx, func(ctx context.Context) {
		logged(log, readAll(ctx, reader, since, func(_ context.Context, b shardreader.Batch) error {
			for _, r := range b.Records {
				if p, ok := decode(r.Data, session); ok {
					t.take(p.N, digestOf(r.Data), b.Shard)
				}
			}
			return nil
		}))
	})
	r.state = reader.State
	return r, nil
}

// readAll reads a stream from a time on, and a recreated one from its beginning.
func readAll(ctx context.Context, r *shardreader.Reader, since time.Time, handle shardreader.Handler) error {
	start := shardreader.At(since.Add(-skew))
	for {
		err := r.All(ctx, start, handle)
		if !errors.Is(err, shardreader.ErrStreamChanged) {
			return err
		}
		start = shardreader.Horizon()
	}
}

func logged(log *slog.Logger, err error) {
	if err != nil {
		log.Error("a reader has ended", "err", err)
	}
}

func carKey(car int) string { return fmt.Sprintf("car-%02d", car) }
