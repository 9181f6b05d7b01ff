package sqsworker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/cenkalti/backoff/v5"
)

const (
	fifoSuffix = ".fifo"
	maxBackoff = 10 * time.Second
	// drainGrace is for handlers to return after their ctx ended with ErrDraining.
	drainGrace = time.Second
	// firstWait is the shortest wait there is: the SDK leaves out a 0, and then
	// the queue's own ReceiveMessageWaitTimeSeconds counts, 20 s as a rule.
	firstWait = time.Second
)

// Worker receives, handles and settles. Make it with New, start it once with Run.
type Worker struct {
	o           Options
	queue, dead *queueURL
	slots       chan struct{} // one for each message that may still be received
	deletes     chan deletion
	handling    atomic.Int64
	counts      counts
	running     sync.WaitGroup // chains of messages
	background  sync.WaitGroup // heartbeat, deletes

	mu    sync.Mutex
	held  map[*held]struct{}
	tails map[string]chan struct{} // closed when the newest chain of that key has ended
	ready error
}

var errNotStarted = errors.New("sqsworker: the queue has not answered yet")

// New checks the options; it calls nothing.
func New(o Options) (*Worker, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	w := &Worker{
		o: o, queue: &queueURL{client: o.Client, name: o.Queue}, dead: &queueURL{client: o.Client, name: o.DeadLetterQueue},
		slots: make(chan struct{}, o.MaxInFlight), deletes: make(chan deletion),
		held: map[*held]struct{}{}, tails: map[string]chan struct{}{}, ready: errNotStarted,
	}
	w.free(o.MaxInFlight)
	return w, nil
}

// Run works until ctx ends and returns nil after a clean drain. The error says
// how many handlers ignored their ended ctx; their messages are released.
func (w *Worker) Run(ctx context.Context) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	handling, stopHandling := context.WithCancelCause(life)
	defer stopHandling(nil)
	w.background.Go(func() { w.heartbeat(life) })
	w.background.Go(func() { w.deleteLoop(life) })
	w.receiveLoop(ctx, life, handling)
	err := w.drain(life, stopHandling)
	end()
	w.background.Wait()
	return err
}

// Ready gives nil while the queue fits and answers, else a *SetupError or what it
// answered last.
func (w *Worker) Ready() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ready
}

func (w *Worker) setReady(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ready = err
}

func (w *Worker) drain(life context.Context, stopHandling context.CancelCauseFunc) error {
	done := make(chan struct{})
	go func() {
		w.running.Wait()
		close(done)
	}()
	if within(done, w.o.Drain) {
		return nil
	}
	stopHandling(ErrDraining)
	if within(done, drainGrace) {
		return nil
	}
	left := w.allHeld()
	w.giveBack(life, 0, left...)
	return fmt.Errorf("%w: %d handlers of %s did not return; their messages are released", ErrDraining, len(left), w.o.Queue)
}

func within(done <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

// receiveLoop receives as many as there are free slots until ctx ends.
func (w *Worker) receiveLoop(ctx, life, handling context.Context) {
	retry := newBackoff()
	wait := firstWait // the first poll is short: Ready turns at once
	for checked := false; ; {
		if !checked {
			if checked = w.awaitFit(ctx); !checked {
				return
			}
		}
		n := w.take(ctx)
		if n == 0 {
			return
		}
		got, err := w.receive(ctx, n, wait)
		w.free(n - len(got))
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			w.setReady(err)
			w.queue.forget(err)
			w.o.Log.Warn("receive failed", "queue", w.o.Queue, "err", err)
			wait, checked = firstWait, false // it may have been made anew, otherwise
			pause(ctx, retry.NextBackOff())
			continue
		}
		w.setReady(nil)
		wait = w.o.Wait
		retry.Reset()
		w.start(ctx, life, w.holdAll(handling, got))
	}
}

func (w *Worker) receive(ctx context.Context, n int, wait time.Duration) ([]types.Message, error) {
	url, err := w.queue.get(ctx)
	if err != nil {
		return nil, err
	}
	out, err := w.o.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: int32(n), WaitTimeSeconds: seconds(wait), VisibilityTimeout: seconds(w.o.Visibility),
		MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount,
			types.MessageSystemAttributeNameSentTimestamp, types.MessageSystemAttributeNameMessageGroupId,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("sqsworker: receive from %s: %w", w.o.Queue, err)
	}
	return out.Messages, nil
}

func (w *Worker) holdAll(handling context.Context, got []types.Message) []*held {
	now := time.Now()
	out := make([]*held, len(got))
	for i, m := range got {
		out[i] = w.hold(handling, m, now)
	}
	w.counts.received.Add(int64(len(got)))
	return out
}

// start runs each chain beside the others, after what this worker still does
// with the same key.
func (w *Worker) start(ctx, life context.Context, hs []*held) {
	for _, chain := range chains(hs, strings.HasSuffix(w.o.Queue, fifoSuffix)) {
		done := make(chan struct{})
		w.mu.Lock()
		before := w.tails[chain.key]
		w.tails[chain.key] = done
		w.mu.Unlock()
		w.running.Go(func() {
			defer w.ended(chain.key, done)
			if before != nil {
				<-before
			}
			w.runChain(ctx, life, chain.messages)
		})
	}
}

func (w *Worker) ended(key string, done chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tails[key] == done {
		delete(w.tails, key)
	}
	close(done)
}

// runChain handles one message after the other. Where one is not done, or the
// worker is told to stop, the rest is released, so that the order is kept.
func (w *Worker) runChain(ctx, life context.Context, hs []*held) {
	defer w.free(len(hs))
	for i, h := range hs {
		if ctx.Err() != nil {
			w.giveBack(life, 0, hs[i:]...)
			return
		}
		if !w.handle(life, h) {
			w.giveBack(life, 0, hs[i+1:]...)
			return
		}
	}
}

type chain struct {
	key      string
	messages []*held
}

// chains puts a FIFO queue's messages together by group, in order; on a
// standard queue each message is by itself.
func chains(hs []*held, fifo bool) []chain {
	var out []chain
	at := map[string]int{}
	for _, h := range hs {
		key := h.ID
		if fifo {
			key = h.Group
		}
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, chain{key: key})
		}
		out[i].messages = append(out[i].messages, h)
	}
	return out
}

// take waits for a free slot and takes up to BatchSize; 0: ctx has ended.
func (w *Worker) take(ctx context.Context) int {
	if ctx.Err() != nil {
		return 0
	}
	select {
	case <-ctx.Done():
		return 0
	case <-w.slots:
	}
	n := 1
	for n < w.o.BatchSize {
		select {
		case <-w.slots:
			n++
		default:
			return n
		}
	}
	return n
}

func (w *Worker) free(n int) {
	for range n {
		w.slots <- struct{}{}
	}
}

func newBackoff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 100*time.Millisecond, maxBackoff
	return b
}

// pause says false where ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
