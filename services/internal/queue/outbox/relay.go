package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Client is what the relay needs of SQS.
type Client interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
}

// Sent is a row that SQS has acknowledged.
type Sent struct {
	ID, Queue, Key string
	MessageID      string // SQS's: for people to look at, not for deduplication
	Delay          time.Duration
}

// Options configures a Relay.
type Options struct {
	Pool   *pgxpool.Pool
	Client Client
	Box    Box
	Log    *slog.Logger
	// Queues, where named, are looked up at the start, so that Ready says which
	// of them is missing before there is a message for it.
	Queues []string
	// Lock is the advisory lock's number: one for each table.
	Lock int64
	// Wake tells that rows may have been added; may be nil.
	Wake <-chan struct{}
	// PollEvery is how often rows are looked for without a wake. 0: 1 s.
	PollEvery time.Duration
	// SendWithin bounds one call of SQS; it must be well below the sessions'
	// idle_in_transaction_session_timeout. 0: 4 s.
	SendWithin time.Duration
	// KeepSent is how long sent rows are kept to look at. 0: one hour.
	KeepSent time.Duration
	// OnSent, when set, runs in the transaction that marks the rows sent.
	OnSent func(ctx context.Context, tx pgx.Tx, sent []Sent) error
}

const (
	batchSize  = 10 // SQS's limit of entries
	roundSize  = 10 * batchSize
	firstRetry = 500 * time.Millisecond
	lastRetry  = 30 * time.Second
	pruneEvery = time.Minute
	lookEvery  = 5 * time.Second
)

// Relay sends rows. Any number may run: one works at a time.
type Relay struct {
	o Options

	mu   sync.Mutex
	urls map[string]string
	bad  map[string]error // by queue: why it cannot be sent to
	fail error            // the last round's
}

// NewRelay makes a relay; Run runs it.
func NewRelay(o Options) *Relay {
	o.PollEvery = orElse(o.PollEvery, time.Second)
	o.SendWithin = orElse(o.SendWithin, 4*time.Second)
	o.KeepSent = orElse(o.KeepSent, time.Hour)
	return &Relay{o: o, urls: map[string]string{}, bad: map[string]error{}}
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// Run sends rows until ctx ends. What failed is tried again.
func (r *Relay) Run(ctx context.Context) error {
	poll, prune, look := time.NewTicker(r.o.PollEvery), time.NewTicker(pruneEvery), time.NewTicker(lookEvery)
	defer poll.Stop()
	defer prune.Stop()
	defer look.Stop()
	r.lookup(ctx)
	for {
		n, err := r.Round(ctx)
		r.note(err)
		if err == nil && n == roundSize {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.o.Wake:
		case <-poll.C:
		case <-look.C:
			r.lookup(ctx)
		case <-prune.C:
			if err := r.prune(ctx); err != nil && ctx.Err() == nil {
				r.o.Log.Warn("sent messages were not pruned; it is tried again in a minute", "err", err)
			}
		}
	}
}

// Ready gives why messages cannot be sent now, or nil.
func (r *Relay) Ready(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, queue := range slices.Sorted(maps.Keys(r.bad)) {
		return fmt.Errorf("outbox: %s: %w", queue, r.bad[queue])
	}
	return r.fail
}

func (r *Relay) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if errors.Is(err, context.Canceled) {
		return
	}
	if err != nil && r.fail == nil {
		r.o.Log.Warn("messages cannot be sent; they wait in the outbox", "err", err)
	}
	r.fail = err
}

// row is one unsent message.
type row struct {
	seq   int64
	id    string
	queue string
	key   string
	body  []byte
	delay time.Duration
	tries int

	messageID string
	err       error
}

// Round sends what may be sent now, once, and gives how many rows it tried.
func (r *Relay) Round(ctx context.Context) (tried int, err error) {
	err = pgx.BeginFunc(ctx, r.o.Pool, func(tx pgx.Tx) error {
		var mine bool
		if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1)`, r.o.Lock).Scan(&mine); err != nil || !mine {
			return err
		}
		rows, err := r.choose(ctx, tx)
		if err != nil || len(rows) == 0 {
			return err
		}
		tried = len(rows)
		r.send(ctx, rows)
		return r.mark(ctx, tx, rows)
	})
	if err != nil {
		return 0, fmt.Errorf("outbox: %w", err)
	}
	return tried, nil
}

// choose gives the first unsent row of each key, where it is due for a try.
func (r *Relay) choose(ctx context.Context, tx pgx.Tx) ([]*row, error) {
	q := `SELECT o.seq, o.id, o.queue, o.key, o.body, greatest(extract(epoch FROM o.due_at - clock_timestamp()), 0), o.tries
		FROM ` + r.o.Box.table + ` o
		WHERE o.sent_at IS NULL AND o.retry_at <= clock_timestamp() AND NOT EXISTS (
			SELECT FROM ` + r.o.Box.table + ` before
			WHERE before.queue = o.queue AND before.key = o.key AND before.sent_at IS NULL AND before.seq < o.seq)
		ORDER BY o.seq LIMIT ` + fmt.Sprint(roundSize)
	found, err := tx.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, func(s pgx.CollectableRow) (*row, error) {
		var x row
		var delay float64
		err := s.Scan(&x.seq, &x.id, &x.queue, &x.key, &x.body, &delay, &x.tries)
		x.delay = time.Duration(math.Ceil(delay)) * time.Second
		return &x, err
	})
}

// send fills in each row's messageID or err.
func (r *Relay) send(ctx context.Context, rows []*row) {
	byQueue := map[string][]*row{}
	for _, x := range rows {
		byQueue[x.queue] = append(byQueue[x.queue], x)
	}
	for queue, rows := range byQueue {
		var failed error
		for len(rows) > 0 {
			n, size := 0, 0
			for n < len(rows) && n < batchSize && (n == 0 || size+len(rows[n].body) <= MaxBody) {
				size += len(rows[n].body)
				n++
			}
			if err := r.sendBatch(ctx, queue, rows[:n]); err != nil {
				failed = err
			}
			rows = rows[n:]
		}
		r.queueState(queue, failed)
	}
}

func (r *Relay) queueState(queue string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		if r.bad[queue] != nil {
			r.o.Log.Info("messages can be sent again", "queue", queue)
		}
		delete(r.bad, queue)
		return
	}
	if r.bad[queue] == nil {
		r.o.Log.Error("messages cannot be sent; they wait in the outbox", "queue", queue, "err", err)
	}
	r.bad[queue] = err
	delete(r.urls, queue)
}

// sendBatch gives the error of the whole call; an entry's own error stays with
// its row.
func (r *Relay) sendBatch(ctx context.Context, queue string, rows []*row) error {
	ctx, cancel := context.WithTimeout(ctx, r.o.SendWithin)
	defer cancel()
	fail := func(err error) error {
		for _, x := range rows {
			x.err = err
		}
		return err
	}
	url, err := r.url(ctx, queue)
	if err != nil {
		return fail(err)
	}
	in := &sqs.SendMessageBatchInput{QueueUrl: &url}
	for i, x := range rows {
		e := types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: aws.String(string(x.body))}
		if strings.HasSuffix(queue, ".fifo") {
			e.MessageGroupId, e.MessageDeduplicationId = &x.key, &x.id
		} else {
			e.DelaySeconds = int32(x.delay / time.Second)
		}
		in.Entries = append(in.Entries, e)
	}
	out, err := r.o.Client.SendMessageBatch(ctx, in)
	if err != nil {
		return fail(err)
	}
	for _, x := range rows {
		x.err = errors.New("SQS did not answer for this entry")
	}
	for _, ok := range out.Successful {
		if x := entry(rows, ok.Id); x != nil {
			x.messageID, x.err = aws.ToString(ok.MessageId), nil
		}
	}
	for _, no := range out.Failed {
		if x := entry(rows, no.Id); x != nil {
			x.err = fmt.Errorf("%s: %s", aws.ToString(no.Code), aws.ToString(no.Message))
		}
	}
	return nil
}

func entry(rows []*row, id *string) *row {
	var i int
	if _, err := fmt.Sscan(aws.ToString(id), &i); err != nil || i < 0 || i >= len(rows) {
		return nil
	}
	return rows[i]
}

func (r *Relay) url(ctx context.Context, queue string) (string, error) {
	r.mu.Lock()
	url, ok := r.urls[queue]
	r.mu.Unlock()
	if ok {
		return url, nil
	}
	out, err := r.o.Client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue})
	if err != nil {
		return "", missing(queue, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.urls[queue] = aws.ToString(out.QueueUrl)
	return r.urls[queue], nil
}

// mark writes what became of each row.
func (r *Relay) mark(ctx context.Context, tx pgx.Tx, rows []*row) error {
	var sent []Sent
	batch := &pgx.Batch{}
	for _, x := range rows {
		if x.err != nil {
			wait := min(firstRetry<<min(x.tries, 10), lastRetry)
			batch.Queue(`UPDATE `+r.o.Box.table+` SET tries = tries + 1, last_error = $2, retry_at = clock_timestamp() + $3 WHERE seq = $1`,
				x.seq, x.err.Error(), wait)
			continue
		}
		sent = append(sent, Sent{ID: x.id, Queue: x.queue, Key: x.key, MessageID: x.messageID, Delay: x.delay})
		batch.Queue(`UPDATE `+r.o.Box.table+` SET tries = tries + 1, sent_at = clock_timestamp(), message_id = $2, last_error = '' WHERE seq = $1`,
			x.seq, x.messageID)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("mark sent: %w", err)
	}
	if r.o.OnSent != nil && len(sent) > 0 {
		return r.o.OnSent(ctx, tx, sent)
	}
	return nil
}

func (r *Relay) prune(ctx context.Context) error {
	_, err := r.o.Pool.Exec(ctx, `DELETE FROM `+r.o.Box.table+` WHERE sent_at < now() - $1::interval`, r.o.KeepSent)
	return err
}
