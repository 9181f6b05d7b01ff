package deadletter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"tandem/services/internal/problem"
)

// MostRate is how many messages a second SQS moves at most.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
const MostRate = 500

// Move is a redrive of a whole queue, which SQS does by itself.
type Move struct {
	Status string    `json:"status"` // RUNNING, COMPLETED, CANCELLING, CANCELLED or FAILED
	At     time.Time `json:"at"`
	Rate   int       `json:"rate"` // messages a second; 0: as fast as SQS likes
	// Moved and ToMove are about how many messages it has moved, and had to move when
	// it began.
	Moved  int64  `json:"moved"`
	ToMove int64  `json:"to_move"`
	Reason string `json:"reason,omitempty"` // why it failed

	handle string
}

// Running reports whether it still moves messages.
func (m Move) Running() bool {
	return m.Status == string(runningTask) || m.Status == string(cancellingTask)
}

// What ListMessageMoveTasks answers.
const (
	runningTask    = "RUNNING"
	cancellingTask = "CANCELLING"
)

// Moves returns the newest redrives of a whole queue, the latest first.
func (t *Tool) Moves(ctx context.Context, place string) ([]Move, error) {
	q, err := t.queue(place)
	if err != nil {
		return nil, err
	}

	arn, err := t.arn(ctx, q.name)
	if err != nil {
		return nil, err
	}

	out, err := t.o.Client.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &arn, MaxResults: new(int32(batch))})
	if err != nil {
		return nil, silent(err)
	}

	moves := []Move{}
	for _, r := range out.Results {
		m := Move{
			Status: text(r.Status), At: time.UnixMilli(r.StartedTimestamp).UTC(), Moved: r.ApproximateNumberOfMessagesMoved,
			Reason: text(r.FailureReason), handle: text(r.TaskHandle),
		}
		if r.ApproximateNumberOfMessagesToMove != nil {
			m.ToMove = *r.ApproximateNumberOfMessagesToMove
		}
		if r.MaxNumberOfMessagesPerSecond != nil {
			m.Rate = int(*r.MaxNumberOfMessagesPerSecond)
		}
		moves = append(moves, m)
	}
	return moves, nil
}

// running returns the redrive of the whole queue that is under way.
func (t *Tool) running(ctx context.Context, place string) (m Move, ok bool, err error) {
	moves, err := t.Moves(ctx, place)
	if err != nil || len(moves) == 0 || !moves[0].Running() {
		return Move{}, false, err
	}
	return moves[0], true, nil
}

// RedriveAll has SQS move all messages of a dead-letter queue back, at most rate of them
// a second (1 to MostRate). It returns as soon as SQS has begun; Moves says how far it is.
func (t *Tool) RedriveAll(ctx context.Context, place string, rate int, by By) (Act, error) {
	if err := by.Check(ActRedriveAll); err != nil {
		return Act{}, err
	}

	if rate < 1 || rate > MostRate {
		return Act{}, problem.Field("rate", "It is how many messages a second may go back: 1 to %d.", MostRate)
	}

	q, err := t.queue(place)
	if err != nil {
		return Act{}, err
	}

	// Whoever looks hides messages, and SQS does not move what is hidden.
	q.using.Lock()
	defer q.using.Unlock()

	// SQS would refuse a second one, with a text that differs between its backends.
	if err := t.refuseSecond(ctx, place); err != nil {
		return Act{}, err
	}

	from, err := t.arn(ctx, q.name)
	if err != nil {
		return Act{}, err
	}

	to, err := t.arn(ctx, q.source)
	if err != nil {
		return Act{}, err
	}

	letter := Letter{Place: place}
	n, err := intend(ctx, t.o.Pool, ActRedriveAll, by, letter)
	if err != nil {
		return Act{}, err
	}

	// The destination is named: SQS does not know where a message came from that a
	// worker sent here, and would give up at the first one.
	_, failure := t.o.Client.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{
		SourceArn: &from, DestinationArn: &to, MaxNumberOfMessagesPerSecond: new(int32(rate)), //nolint:gosec // checked above
	})

	outcome, result := OutcomeDone, fmt.Sprintf("SQS moves them to %s, at most %d a second", q.source, rate)
	switch {
	case refused(failure):
		outcome, result = OutcomeFailed, "SQS refused to begin: "+reasonOf(failure)
	case failure != nil:
		outcome, result = OutcomeUnknown, "no answer: look whether a redrive runs"
	}
	return t.concluded(ctx, n, ActRedriveAll, letter, by, outcome, result, failure)
}

func (t *Tool) refuseSecond(ctx context.Context, place string) error {
	m, is, err := t.running(ctx, place)
	if err != nil || !is {
		return err
	}
	return problem.New(problem.Conflict, "A redrive of %s is under way: %d of about %d moved. One at a time: wait until it ends, or cancel it.",
		place, m.Moved, m.ToMove)
}

// Cancel stops the redrive of all that is under way. What was moved stays moved.
func (t *Tool) Cancel(ctx context.Context, place string, by By) (Act, error) {
	if err := by.Check(ActCancel); err != nil {
		return Act{}, err
	}

	m, is, err := t.running(ctx, place)
	switch {
	case err != nil:
		return Act{}, err
	case !is || m.handle == "":
		return Act{}, problem.New(problem.Conflict, "No redrive of %s is under way.", place)
	}

	letter := Letter{Place: place}
	n, err := intend(ctx, t.o.Pool, ActCancel, by, letter)
	if err != nil {
		return Act{}, err
	}

	out, failure := t.o.Client.CancelMessageMoveTask(ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: &m.handle})
	outcome, result := OutcomeUnknown, "no answer: look whether a redrive runs"
	switch {
	case refused(failure):
		outcome, result = OutcomeFailed, "SQS refused: it may have ended by itself"
	case failure == nil:
		outcome, result = OutcomeDone, fmt.Sprintf("cancelled after about %d messages", out.ApproximateNumberOfMessagesMoved)
	}
	return t.concluded(ctx, n, ActCancel, letter, by, outcome, result, failure)
}

// reasonOf is SQS's own word for a refusal, without the SDK's around it.
func reasonOf(err error) string {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.Detail
	}
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return "the queue does not exist"
	}
	return "it is no dead-letter queue, or another redrive has just begun"
}
