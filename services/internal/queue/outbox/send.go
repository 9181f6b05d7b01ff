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
	"golang.org/x/sync/errgroup"
)

const (
	callRows = 10 // SQS's limit of entries
	// maxCalls is how many calls are under way at once. The SDK's client keeps as many
	// connections to one host (10), and a call of ten rows takes SQS some 10 ms.
	maxCalls = 8
	// beginFor is for how long a turn begins new calls, so that the other queues get
	// their turn, and a crash sends little again.
	beginFor = 250 * time.Millisecond
)

// errRefused is wrapped by the error of a row that SQS will never take.
var errRefused = errors.New("refused for good")

// send sends rows of one queue, grouped by key, and returns those that were tried,
// with the messageID or err of each filled in.
//
// It sends in waves: first the first row of each key, in calls of ten, some of them
// at once; then the next row of each key whose row before was acknowledged. So two
// rows of a key are never in flight together, as they would have to be within one
// call: SQS may refuse one entry and take the next.
func (r *Relay) send(ctx context.Context, queue string, keys [][]*row, within time.Duration) (tried []*row) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()

	// A call that begins has at least half of the time to be answered in.
	begin, stop := context.WithTimeout(ctx, min(beginFor, within/2))
	defer stop()

	var err error
	for len(keys) > 0 && err == nil && begin.Err() == nil {
		var wave []*row
		for _, rows := range keys {
			wave = append(wave, rows[0])
		}
		err = r.sendWave(ctx, begin, stop, queue, wave)

		keys = slices.DeleteFunc(keys, func(rows []*row) bool { return len(rows) == 1 || !rows[0].tried || rows[0].err != nil })
		for i := range keys {
			keys[i] = keys[i][1:]
		}
		tried = append(tried, slices.DeleteFunc(wave, func(x *row) bool { return !x.tried })...)
	}

	r.setQueueErr(queue, err)
	return tried
}

// sendWave sends rows of different keys, and returns the first error of a whole
// call. No call begins when begin has ended, as it has after such an error.
func (r *Relay) sendWave(ctx, begin context.Context, stop func(), queue string, wave []*row) error {
	var calls errgroup.Group
	calls.SetLimit(maxCalls)

	for len(wave) > 0 {
		rows := wave[:callLength(wave)]
		wave = wave[len(rows):]
		calls.Go(func() error {
			err := r.call(ctx, begin, queue, rows)
			if err != nil {
				stop()
			}
			return err
		})
	}
	return calls.Wait()
}

// call sends rows with one call, unless begin has ended. Its error is that of the
// queue.
func (r *Relay) call(ctx, begin context.Context, queue string, rows []*row) error {
	select {
	case <-begin.Done():
		return nil // the rows wait for another turn
	default:
		setTried(rows, true)
	}

	err := r.sendBatch(ctx, queue, rows)
	if err == nil {
		return nil
	}

	if notFound(err) || !refused(errorCode(err)) {
		fail(rows, &queueError{err})
		return err
	}
	return r.callRefused(ctx, begin, queue, rows, err)
}

// callRefused goes on where SQS has refused a call for the content of one of its
// rows, and has not said which: each of them is sent alone to find out. The queue
// itself works.
func (r *Relay) callRefused(ctx, begin context.Context, queue string, rows []*row, reason error) error {
	if len(rows) == 1 {
		fail(rows, fmt.Errorf("%w: %w", errRefused, reason))
		return nil
	}

	setTried(rows, false)
	for i := range rows {
		if err := r.call(ctx, begin, queue, rows[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// queueError is a row's error where the whole call failed.
type queueError struct{ error }

func (e *queueError) Unwrap() error { return e.error }

func fail(rows []*row, err error) {
	for _, x := range rows {
		x.err = err
	}
}

func setTried(rows []*row, tried bool) {
	for _, x := range rows {
		x.tried = tried
	}
}

// callLength is how many of rows, at least one, go into one call: SQS limits
// their number, and their size together as it limits one message's.
func callLength(rows []*row) int {
	n, bytes := 0, 0
	for n < len(rows) && n < callRows && (n == 0 || bytes+size(rows[n].body, rows[n].attributes) <= MaxSize) {
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
