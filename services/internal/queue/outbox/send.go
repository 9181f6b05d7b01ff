package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

const batchSize = 10 // SQS's limit of entries

// errRefused is wrapped by the error of a row that SQS will never take.
var errRefused = errors.New("refused for good")

// send sends one batch and fills in each row's messageID or err.
func (r *Relay) send(ctx context.Context, queue string, rows []*row) {
	alone := r.tookBatch(queue)
	err := r.sendBatch(ctx, queue, rows)
	if err != nil {
		fail(rows, &queueError{err})
	}

	if err != nil && !notFound(err) && refused(errorCode(err)) {
		// SQS has refused the call for the content of one of its rows, and does not say
		// which: each of them is sent alone to find out.
		if alone {
			fail(rows, fmt.Errorf("%w: %w", errRefused, err))
		} else {
			r.sendAlone(queue, len(rows))
		}
		err = nil // the queue itself works
	}
	r.setQueueErr(queue, err)
}

// queueError is a row's error where the whole call failed.
type queueError struct{ error }

func (e *queueError) Unwrap() error { return e.error }

func fail(rows []*row, err error) {
	for _, x := range rows {
		x.err = err
	}
}

// batchLength is how many of rows, at least one, go into one call: SQS limits
// their number, and their size together as it limits one message's.
func batchLength(rows []*row) int {
	n, bytes := 0, 0
	for n < len(rows) && n < batchSize && (n == 0 || bytes+size(rows[n].body, rows[n].attributes) <= MaxSize) {
		bytes += size(rows[n].body, rows[n].attributes)
		n++
	}
	return n
}

// sendBatch returns the error of the whole call; an entry's own error stays with
// its row.
func (r *Relay) sendBatch(ctx context.Context, queue string, rows []*row) error {
	url, err := r.url(ctx, queue)
	if err != nil {
		return err
	}
	out, err := r.o.Client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries(queue, rows)})
	if err != nil {
		return err
	}

	// A row counts as sent only if the answer names it: what SQS did not
	// acknowledge is sent again.
	fail(rows, errors.New("SQS did not answer for this entry"))
	for _, ok := range out.Successful {
		if x := rowOf(rows, ok.Id); x != nil {
			x.messageID, x.err = aws.ToString(ok.MessageId), nil
		}
	}
	for _, no := range out.Failed {
		if x := rowOf(rows, no.Id); x != nil {
			x.err = fmt.Errorf("%s: %s", aws.ToString(no.Code), aws.ToString(no.Message))
			if no.SenderFault && refused(aws.ToString(no.Code)) {
				x.err = fmt.Errorf("%w: %w", errRefused, x.err)
			}
		}
	}
	return nil
}

// refused reports whether SQS's error is about a message's content, so that another
// try cannot succeed. Other faults of the sender, such as access denied, can be put
// right.
func refused(code string) bool {
	return slices.Contains([]string{
		"InvalidMessageContents", "InvalidParameterValue", "InvalidAttributeValue", "MissingParameter",
		"BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong",
	}, code)
}

func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// entries are rows as SQS takes them; an entry's id is its row's index.
func entries(queue string, rows []*row) []types.SendMessageBatchRequestEntry {
	var out []types.SendMessageBatchRequestEntry
	for i, x := range rows {
		e := types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: aws.String(string(x.body)), MessageAttributes: attributes(x)}
		if isFIFO(queue) {
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

// attributes are a row's attributes as SQS takes them.
func attributes(x *row) map[string]types.MessageAttributeValue {
	out := make(map[string]types.MessageAttributeValue, len(x.attributes))
	for name, value := range x.attributes {
		out[name] = types.MessageAttributeValue{DataType: aws.String(attributeType), StringValue: &value}
	}
	return out
}

func isFIFO(queue string) bool { return strings.HasSuffix(queue, ".fifo") }

// rowOf returns the row whose entry has that id, or nil.
func rowOf(rows []*row, id *string) *row {
	var i int
	if _, err := fmt.Sscan(aws.ToString(id), &i); err != nil || i < 0 || i >= len(rows) {
		return nil
	}
	return rows[i]
}
