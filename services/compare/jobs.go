package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"tandem/services/internal/queue/sqsworker"
	"tandem/services/internal/stream/shardreader"
)

const (
	jobCount  = 40
	poison    = 17 // the job that no worker can do
	jobTries  = 3
	workers   = 4
	retryWait = time.Second
)

// job is one tile of the city to draw: columns × rows, from 1 on.
type job struct {
	Session string  `json:"session"`
	Tile    int     `json:"tile"`
	Cell    *[2]int `json:"cell"` // column and row; the poison has none
}

var errNoCell = errors.New("the job does not say where its tile lies")

// work does a job. It takes as long as a drawing would.
func work(ctx context.Context, j job, took time.Duration) error {
	pause(ctx, took)
	if j.Cell == nil {
		return errNoCell
	}
	return ctx.Err()
}

// jobs runs the step on both sides. It is safe for concurrent use.
type jobs struct {
	session string
	took    time.Duration
	began   time.Time
	skip    chan struct{} // closed by the act

	mu     sync.Mutex
	state  Jobs
	stuck  time.Time // arrival of the record that is in the way
	known  map[int]bool
	passed map[int]bool
}

func newJobs(session string, took time.Duration) *jobs {
	return &jobs{session: session, took: took, began: time.Now(), skip: make(chan struct{}), known: map[int]bool{}, passed: map[int]bool{}}
}

// start sends the jobs to both sides and starts their workers.
func (j *jobs) start(ctx context.Context, c *cloud, every time.Duration, log *slog.Logger) (running []*reading, err error) {
	// One shard is one order, so one worker: a second one would have to pass the first.
	reader, err := shardreader.New(shardreader.Options{Client: c.kinesis, Stream: StreamJobs, PollEvery: every, Log: log})
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}

	for n := range workers {
		w, err := sqsworker.New(sqsworker.Options{
			Client: c.sqs, Queue: QueueJobs, DeadLetterQueue: QueueJobsDead, Tries: jobTries, MaxInFlight: 1, BatchSize: 1,
			Visibility: visibility, Drain: time.Second, Log: log, Handler: j.worker(n + 1), DeadLettered: j.setAside,
		})
		if err != nil {
			return nil, fmt.Errorf("compare: %w", err)
		}
		running = append(running, begin(ctx, func(ctx context.Context) { logged(log, w.Run(ctx)) }))
	}

	running = append(running,
		begin(ctx, func(ctx context.Context) { logged(log, readAll(ctx, reader, j.began, j.inOrder)) }),
		begin(ctx, func(ctx context.Context) { j.send(ctx, c) }))
	return running, nil
}

func (j *jobs) send(ctx context.Context, c *cloud) {
	bodies, keys := make([][]byte, jobCount), make([]string, jobCount)
	for i := range jobCount {
		out := job{Session: j.session, Tile: i + 1, Cell: &[2]int{i%8 + 1, i/8 + 1}}
		if out.Tile == poison {
			out.Cell = nil
		}
		bodies[i], _ = json.Marshal(out) // of numbers and a text: cannot fail
		keys[i] = "jobs"
	}

	note := func(error) {} // what was not sent is missing in Sent
	until(ctx, jobCount, note, func(ctx context.Context, left []int) ([]int, error) { return c.send(ctx, QueueJobs, bodies, left) })
	j.mu.Lock()
	j.state.Sent = jobCount
	j.mu.Unlock()

	// One at a time: a call that puts several promises no order among them. Where each
	// takes half a second, as on LocalStack, the stream's worker waits for most of them.
	for i := range jobCount {
		until(ctx, 1, note, func(ctx context.Context, left []int) ([]int, error) {
			if left, err := c.put(ctx, StreamJobs, keys, bodies, []int{i}); len(left) > 0 {
				return []int{0}, err
			}
			return nil, nil
		})
	}
}

func (j *jobs) read(body []byte) (out job, ok bool) {
	err := json.Unmarshal(body, &out)
	return out, err == nil && out.Session == j.session
}

// worker returns one of the queue's workers: what fails comes again, to whichever of
// them is free, and after its last try is set aside.
func (j *jobs) worker(n int) sqsworker.HandlerFunc {
	return func(ctx context.Context, m sqsworker.Message) sqsworker.Result {
		one, ok := j.read(m.Body)
		if !ok {
			return sqsworker.Done() // an earlier session's
		}

		if err := work(ctx, one, j.took); err != nil {
			j.failed(&j.state.Queue, FailedJob{Tile: one.Tile, Tries: m.Receives, Reason: err.Error()})
			return sqsworker.RetryAfter(retryWait, err)
		}
		j.done(&j.state.Queue, j.known, DoneJob{one.Tile, n, m.Receives})
		return sqsworker.Done()
	}
}

func (j *jobs) setAside(_ context.Context, m sqsworker.Message, reason string) {
	if one, ok := j.read(m.Body); ok {
		j.failed(&j.state.Queue, FailedJob{Tile: one.Tile, Tries: jobTries, Reason: reason})
		j.mu.Lock()
		defer j.mu.Unlock()
		j.state.Queue.Passed = true
		j.finish(&j.state.Queue)
	}
}

// inOrder is the stream's worker: it may not pass a record, so one that fails is
// tried until somebody skips it.
func (j *jobs) inOrder(ctx context.Context, b shardreader.Batch) error {
	for _, r := range b.Records {
		one, ok := j.read(r.Data)
		if !ok {
			continue
		}

		for try := 1; ctx.Err() == nil; try++ {
			err := work(ctx, one, j.took)
			if err == nil {
				j.done(&j.state.Stream, j.passed, DoneJob{one.Tile, 1, try})
				break
			}

			j.inTheWay(FailedJob{Tile: one.Tile, Tries: try, Reason: err.Error()}, r.Arrived)
			if j.skipped(ctx) {
				break
			}
		}
	}
	return nil
}

func (j *jobs) inTheWay(f FailedJob, arrived time.Time) {
	j.failed(&j.state.Stream, f)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stuck = arrived
}

// skipped waits until the next try, and reports whether there is none.
func (j *jobs) skipped(ctx context.Context) bool {
	wait := time.NewTimer(retryWait)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return true
	case <-wait.C:
		return false
	case <-j.skip:
	}

	j.mu.Lock()
	defer j.mu.Unlock()
	j.stuck, j.state.Stream.Passed = time.Time{}, true
	return true
}

func (j *jobs) done(side *JobSide, known map[int]bool, d DoneJob) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if known[d.Tile] {
		return // delivered twice
	}
	known[d.Tile] = true
	side.Done = append(side.Done, d)
	j.finish(side)
}

func (j *jobs) failed(side *JobSide, f FailedJob) {
	j.mu.Lock()
	defer j.mu.Unlock()
	side.Failed = &f
}

// finish notes when nothing is left to do; the caller holds the lock.
func (j *jobs) finish(side *JobSide) {
	if side.TookMS == 0 && side.Passed && len(side.Done) == jobCount-1 {
		side.TookMS = time.Since(j.began).Milliseconds()
	}
}

func (j *jobs) look() *Jobs {
	j.mu.Lock()
	defer j.mu.Unlock()

	out := j.state
	out.Queue.Done, out.Stream.Done = append([]DoneJob{}, j.state.Queue.Done...), append([]DoneJob{}, j.state.Stream.Done...)
	if f := out.Stream.Failed; f != nil {
		now := *f
		if !j.stuck.IsZero() {
			age := time.Since(j.stuck).Milliseconds()
			now.BehindMS = &age
		}
		out.Stream.Failed = &now
	}
	return &out
}
