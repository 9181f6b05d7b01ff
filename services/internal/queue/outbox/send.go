package outbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const batchSize = 10 // SQS's limit of entries

// send sends rows, a batch to a call, and fills in each row's messageID or err.
func (r *Relay) send(ctx context.Context, rows []*row) {
	byQueue := map[string][]*row{}
	for _, x := range rows {
		byQueue[x.queue] = append(byQueue[x.queue], x)
	}

	for queue, rows := range byQueue {
		var failed error
		for len(rows) > 0 {
			n := batchLength(rows)
			if err := r.sendBatch(ctx, queue, rows[:n]); err != nil {
				failed = err
			}
			rows = rows[n:]
		}
		r.setQueueErr(queue, failed)
	}
}

// batchLength is how many of rows, at least one, go into one call: SQS limits
// their number, and their size together as it limits one message's.
func batchLength(rows []*row) int {
	n, size := 0, 0
	for n < len(rows) && n < batchSize && (n == 0 || size+len(rows[n].body) <= MaxBody) {
		size += len(rows[n].body)
		n++
	}
	return n
}

// sendBatch returns the error of the whole call; an entry's own error stays with
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
	out, err := r.o.Client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries(queue, rows)})
	if err != nil {
		return fail(err)
	}

	// A row counts as sent only if the answer names it: what SQS did not
	// acknowledge is sent again.
	for _, x := range rows {
		x.err = errors.New("SQS did not answer for this entry")
	}
	for _, ok := range out.Successful {
		if x := rowOf(rows, ok.Id); x != nil {
			x.messageID, x.err = aws.ToString(ok.MessageId), nil
		}
	}
	for _, no := range out.Failed {
		if x := rowOf(rows, no.Id); x != nil {
			x.err = fmt.Errorf("%s: %s", aws.ToString(no.Code), aws.ToString(no.Message))
		}
	}
	return nil
}

// entries are rows as SQS takes them; an entry's id is its row's index.
func entries(queue string, rows []*row) []types.SendMessageBatchRequestEntry {
	var out []types.SendMessageBatchRequestEntry
	for i, x := range rows {
		e := types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: aws.String(string(x.body))}
		if strings.HasSuffix(queue, ".fifo") {
			// A FIFO queue drops a row that is sent twice within five minutes. It
			// takes no delay for a single message.
			e.MessageGroupId, e.MessageDeduplicationId = &x.key, &x.id
		} else {
			e.DelaySeconds = int32(x.delay / time.Second)
		}
		out = append(out, e)
	}
	return out
}

// rowOf returns the row whose entry has that id, or nil.
func rowOf(rows []*row, id *string) *row {
	var i int
	if _, err := fmt.Sscan(aws.ToString(id), &i); err != nil || i < 0 || i >= len(rows) {
		return nil
	}
	return rows[i]
}
