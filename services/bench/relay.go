package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	stypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/internal/queue/outbox"
)

// sender empties a table of messages into a queue.
type sender struct {
	fill func(ctx context.Context, tx pgx.Tx, queue string, n, keys int) error
	send func(ctx context.Context, pool *pgxpool.Pool, client *sqs.Client, queue string, n int) error
}

// where is what calls and commits cost a sender.
type where struct {
	longer    time.Duration // each call of SQS takes so much longer
	unflushed bool          // Postgres does not wait for its disk
}

// relays are the rows of sending what waits in an outbox.
func relays() []row {
	compare := func(n, keys int, w where) row {
		ours, peer := "relay, 1 key", "one by one"
		switch {
		case keys == n:
			ours = "relay, a key each"
		case keys > 1:
			ours = fmt.Sprintf("relay, %d keys", keys)
		}
		if w.unflushed {
			peer += ", commits not flushed"
		}
		if w.longer > 0 {
			peer += fmt.Sprintf(", both at %v a call", w.longer)
		}
		return row{
			name: "outbox to queue", unit: "rows/s", aim: 5,
			ours: subject{ours, empty(n, keys, w, relay())}, peer: subject{peer, empty(n, keys, w, oneByOne())},
		}
	}

	var out []row
	for _, w := range []where{{}, {unflushed: true}} {
		out = append(out, compare(1_000, 1, w), compare(2_000, 20, w), compare(2_000, 2_000, w))
	}
	far := where{longer: 10 * time.Millisecond}
	return append(out, compare(200, 1, far), compare(600, 20, far), compare(600, 600, far))
}

// empty returns how many of n rows a second are sent and marked as sent.
func empty(n, keys int, w where, s sender) func(context.Context, clients) (float64, error) {
	return func(ctx context.Context, c clients) (float64, error) {
		queue := fmt.Sprint("outbox-", time.Now().UnixNano())
		q, err := c.queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &queue})
		if err != nil {
			return 0, err
		}
		pool := c.db.flushed
		if w.unflushed {
			pool = c.db.unflushed
		}
		if err := refill(ctx, pool, queue, n, keys, s); err != nil {
			return 0, err
		}

		cfg := c.aws.Copy()
		cfg.HTTPClient = slow{cfg.HTTPClient, w.longer}
		began := time.Now()
		if err := s.send(ctx, pool, sqs.NewFromConfig(cfg), queue, n); err != nil {
			return 0, err
		}
		took := time.Since(began)

		// A sender that marks rows which it has not sent would be the fastest.
		if err := arrived(ctx, c.queues, q.QueueUrl, n); err != nil {
			return 0, err
		}
		_, err = c.queues.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: q.QueueUrl})
		return float64(n) / took.Seconds(), err
	}
}

// refill leaves n unsent rows in the sender's table and nothing else in both tables.
func refill(ctx context.Context, pool *pgxpool.Pool, queue string, n, keys int, s sender) error {
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `TRUNCATE bench.outbox, bench.simple`); err != nil {
			return err
		}
		return s.fill(ctx, tx, queue, n, keys)
	})
	if err != nil {
		return fmt.Errorf("fill the outbox: %w", err)
	}

	// As a table is that has been in use: without statistics Postgres would guess.
	_, err = pool.Exec(ctx, `VACUUM (ANALYZE) bench.outbox, bench.simple`)
	return err
}

// arrived returns an error unless the queue has n messages.
func arrived(ctx context.Context, client *sqs.Client, url *string, n int) error {
	out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: url, AttributeNames: []stypes.QueueAttributeName{stypes.QueueAttributeNameApproximateNumberOfMessages},
	})
	if err != nil {
		return err
	}
	if got := out.Attributes[string(stypes.QueueAttributeNameApproximateNumberOfMessages)]; got != strconv.Itoa(n) {
		return fmt.Errorf("%d rows were sent, and the queue has %s messages", n, got)
	}
	return nil
}

var body = strings.Repeat("x", messageBytes)

// relay is package outbox. It is called as Relay.Run calls it while there is more to send.
func relay() sender {
	box := outbox.New("bench", "outbox")
	return sender{
		fill: func(ctx context.Context, tx pgx.Tx, queue string, n, keys int) error {
			for i := range n {
				m := outbox.Message{ID: uuid.NewString(), Queue: queue, Key: fmt.Sprint("ride-", i%keys), Body: []byte(body)}
				if err := box.Add(ctx, tx, m); err != nil {
					return err
				}
			}
			return nil
		},
		send: func(ctx context.Context, pool *pgxpool.Pool, client *sqs.Client, queue string, n int) error {
			r, err := outbox.NewRelay(outbox.Options{Pool: pool, Client: client, Box: box, Queues: []string{queue}})
			if err != nil {
				return err
			}
			for sent := 0; sent < n; {
				done, err := r.Round(ctx)
				if err != nil {
					return err
				}
				if done == 0 {
					return fmt.Errorf("%d of %d rows were sent: %w", sent, n, r.Ready(ctx))
				}
				sent += done
			}
			return nil
		},
	}
}

// oneByOne is the relay that many programs have: a loop takes the oldest row that is
// not sent, sends it, marks it and commits. That keeps any order, and no row holds back
// another; it needs no keys, and its table has none.
func oneByOne() sender {
	return sender{
		fill: func(ctx context.Context, tx pgx.Tx, _ string, n, _ int) error {
			_, err := tx.Exec(ctx, `INSERT INTO bench.simple (body) SELECT $1 FROM generate_series(1, $2)`, []byte(body), n)
			return err
		},
		send: func(ctx context.Context, pool *pgxpool.Pool, client *sqs.Client, queue string, n int) error {
			q, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue})
			if err != nil {
				return err
			}
			for range n {
				if err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return sendOldest(ctx, tx, client, q.QueueUrl) }); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func sendOldest(ctx context.Context, tx pgx.Tx, client *sqs.Client, url *string) error {
	var seq int64
	var body []byte
	err := tx.QueryRow(ctx, `SELECT seq, body FROM bench.simple WHERE sent_at IS NULL ORDER BY seq LIMIT 1 FOR UPDATE SKIP LOCKED`).Scan(&seq, &body)
	if err != nil {
		return errors.Join(errors.New("no row is left to send"), err)
	}

	// Sent before the commit, as outbox does: the other order could lose it.
	out, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String(string(body))})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE bench.simple SET sent_at = clock_timestamp(), message_id = $2 WHERE seq = $1`, seq, out.MessageId)
	return err
}
