package deadletter_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/problem"
	"tandem/services/internal/queue/sqsworker"
	"tandem/services/test/testenv"
	"tandem/services/tools/deadletter"
)

// stage is a Tool on a real Postgres and the emulator.
type stage struct {
	t      *testing.T
	client *sqs.Client
	calls  *calls
	pool   *pgxpool.Pool
	tool   *deadletter.Tool
	rides  *ride.Store
}

func newStage(t *testing.T) *stage {
	t.Helper()
	_, pool := testenv.Database(t, append(ride.Schemas(), deadletter.Schema())...)
	cfg, err := awsclient.New(t.Context(), testenv.Emulator(t))
	require.NoError(t, err)

	client := sqs.NewFromConfig(cfg)
	s := &stage{t: t, client: client, calls: &calls{Client: client}, pool: pool, rides: ride.NewStore(pool, profile.Fast())}
	s.tool = s.another()
	return s
}

// another returns a Tool as another process has one.
func (s *stage) another() *deadletter.Tool {
	return deadletter.New(deadletter.Options{Client: s.calls, Pool: s.pool, Hold: 2 * time.Second})
}

// calls fails calls on purpose: before hands one on with an error, after says that it
// failed although it did not.
type calls struct {
	deadletter.Client
	send, remove, move func(ctx context.Context, call func() error) error
}

func through(ctx context.Context, hook func(context.Context, func() error) error, call func() error) error {
	if hook == nil {
		return call()
	}
	return hook(ctx, call)
}

func (c *calls) SendMessage(ctx context.Context, in *sqs.SendMessageInput, o ...func(*sqs.Options)) (out *sqs.SendMessageOutput, err error) {
	err = through(ctx, c.send, func() (err error) { out, err = c.Client.SendMessage(ctx, in, o...); return err })
	return out, err
}

func (c *calls) DeleteMessage(ctx context.Context, in *sqs.DeleteMessageInput, o ...func(*sqs.Options)) (out *sqs.DeleteMessageOutput, err error) {
	err = through(ctx, c.remove, func() (err error) { out, err = c.Client.DeleteMessage(ctx, in, o...); return err })
	return out, err
}

func (c *calls) StartMessageMoveTask(ctx context.Context, in *sqs.StartMessageMoveTaskInput, o ...func(*sqs.Options)) (out *sqs.StartMessageMoveTaskOutput, err error) {
	err = through(ctx, c.move, func() (err error) { out, err = c.Client.StartMessageMoveTask(ctx, in, o...); return err })
	return out, err
}

func (s *stage) url(queue string) *string {
	s.t.Helper()
	out, err := s.client.GetQueueUrl(s.t.Context(), &sqs.GetQueueUrlInput{QueueName: &queue})
	require.NoError(s.t, err)
	return out.QueueUrl
}

// dead puts a message on a dead-letter queue as a worker does, and returns its id.
func (s *stage) dead(queue, group, reason, body string) string {
	s.t.Helper()
	in := &sqs.SendMessageInput{QueueUrl: s.url(queue), MessageBody: &body, MessageAttributes: map[string]types.MessageAttributeValue{
		"traceparent": {DataType: aws.String("String"), StringValue: aws.String("00-abc")},
	}}
	if reason != "" {
		in.MessageAttributes[sqsworker.ReasonAttribute] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &reason}
	}
	if group != "" {
		in.MessageGroupId = &group
	}
	if strings.HasSuffix(queue, ".fifo") {
		in.MessageDeduplicationId = aws.String(uuid.NewString())
	}
	out, err := s.client.SendMessage(s.t.Context(), in)
	require.NoError(s.t, err)
	return *out.MessageId
}

// on returns how many messages are on a queue, visible and hidden.
func (s *stage) on(queue string) string {
	s.t.Helper()
	out, err := s.client.GetQueueAttributes(s.t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: s.url(queue), AttributeNames: []types.QueueAttributeName{"All"}})
	require.NoError(s.t, err)
	return out.Attributes["ApproximateNumberOfMessages"] + " visible, " + out.Attributes["ApproximateNumberOfMessagesNotVisible"] + " hidden"
}

func (s *stage) receive(queue string) types.Message {
	s.t.Helper()
	out, err := s.client.ReceiveMessage(s.t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: s.url(queue), WaitTimeSeconds: 2, MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
	})
	require.NoError(s.t, err)
	require.Len(s.t, out.Messages, 1, "on %s", queue)
	return out.Messages[0]
}

// empty deletes what is visible on a queue.
func (s *stage) empty(queue string) {
	s.t.Helper()
	for url := s.url(queue); s.on(queue) != "0 visible, 0 hidden"; {
		out, err := s.client.ReceiveMessage(s.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url})
		require.NoError(s.t, err)
		for _, m := range out.Messages {
			_, err := s.client.DeleteMessage(s.t.Context(), &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: m.ReceiptHandle})
			require.NoError(s.t, err)
		}
	}
}

func (s *stage) list(place string) deadletter.Listing {
	s.t.Helper()
	out, err := s.tool.List(s.t.Context(), place)
	require.NoError(s.t, err)
	return out
}

func (s *stage) acts() (out []string) {
	s.t.Helper()
	acts, err := s.tool.Acts(s.t.Context(), 0, 0)
	require.NoError(s.t, err)
	for _, a := range acts {
		require.Equal(s.t, a.Outcome == "", a.EndedAt == nil)
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s by %s: %s", a.Act, a.Place, a.Who, a.Outcome)))
	}
	return out
}

func (s *stage) book(key string) ride.Ride {
	s.t.Helper()
	r, _, err := s.rides.Create(s.t.Context(), ride.Booking{
		RiderID: "rita", Key: key, Price: ride.Money{Currency: "UYU"},
		Pickup: ride.Place{Point: geo.Point{Lat: -34.9, Lon: -56.1}}, Dropoff: ride.Place{Point: geo.Point{Lat: -34.8, Lon: -56.1}},
	})
	require.NoError(s.t, err)
	return r
}

func request(t *testing.T, rideID string, attempt int) string {
	t.Helper()
	e, err := event.New(uuid.NewString(), event.TypeRideRequest, time.Now(), event.RideRequest{RideID: rideID, Attempt: attempt})
	require.NoError(t, err)
	b, err := json.Marshal(e)
	require.NoError(t, err)
	return string(b)
}

func codeOf(err error) problem.Code {
	var p *problem.Error
	if !errors.As(err, &p) {
		return ""
	}
	return p.Code
}

var ops = deadletter.By{Who: "ops", Verified: true}

const requests, notices = event.QueueRideRequestsDead, event.QueueNotificationsDead

func TestListSaysWhyAndWhatARedriveWouldDo(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	waits, closed, later, served := s.book("k1"), s.book("k2"), s.book("k3"), s.book("k4")
	_, err := s.rides.Do(t.Context(), closed.ID, ride.Action{Kind: ride.ActCancel, Attempt: 1}, "rider rita")
	require.NoError(t, err)
	_, err = s.rides.SetDuty(t.Context(), "ana", true)
	require.NoError(t, err)
	for _, kind := range []ride.ActionKind{ride.ActOffer, ride.ActAccept} {
		_, err = s.rides.Do(t.Context(), served.ID, ride.Action{Kind: kind, Driver: "ana"}, "driver ana")
		require.NoError(t, err)
	}
	_, err = s.rides.Do(t.Context(), later.ID, ride.Action{Kind: ride.ActRequeue, Attempt: 1}, "worker")
	require.NoError(t, err)

	for body, want := range map[string][2]string{
		"not json":                      {"no JSON", "no worker"},
		" ":                             {"empty", "no worker"},
		`{"version":"x"}`:               {"not a message of Tandem", "no worker"},
		`[1,2]`:                         {"not a message of Tandem", "no worker"},
		request(t, waits.ID, 1):         {"ride.request, attempt 1", "its ride waits until"},
		request(t, waits.ID, 7):         {"ride.request, attempt 7", "its ride is only at attempt 1, as after a restore of the database"},
		request(t, served.ID, 1):        {"ride.request, attempt 1", "its ride has a driver: a redrive does nothing"},
		request(t, later.ID, 1):         {"ride.request, attempt 1", "its ride is at attempt 2: a redrive does nothing"},
		request(t, closed.ID, 1):        {"ride.request, attempt 1", "its ride is closed: a redrive does nothing, discard it"},
		request(t, uuid.NewString(), 1): {"ride.request, attempt 1", "there is no such ride"},
		strings.Replace(request(t, waits.ID, 1), `"version":1`, `"version":9`, 1): {"ride.request of version 9, which is not known", "no worker"},
	} {
		id := s.dead(requests, "", "because of "+want[0], body)
		for range 2 { // the second time: it was made visible again
			l := s.list(requests)
			require.Len(t, l.Letters, 1, body)
			require.Equal(t, 1, *l.Total)
			got := l.Letters[0]
			require.Equal(t, [4]string{requests, event.QueueRideRequests, id, "because of " + want[0]}, [4]string{got.Place, got.Source, got.ID, got.Reason})
			require.Equal(t, want[0], got.About, body)
			require.Contains(t, got.Advice, want[1], body)
		}
		require.Equal(t, "1 visible, 0 hidden", s.on(requests))

		d, err := s.tool.Show(t.Context(), requests, id)
		require.NoError(t, err)
		require.Equal(t, body, d.Body)
		require.Equal(t, 3, d.Receives, "each look is a receive")
		require.Equal(t, "00-abc", d.Attributes["traceparent"])
		if strings.Contains(body, closed.ID) {
			require.Equal(t, ride.Cancelled, d.Ride.State)
			require.Equal(t, ride.EventCancelled, d.History[len(d.History)-1].Kind)
		}

		_, err = s.tool.Discard(t.Context(), requests, id, deadletter.By{Who: "ops", Why: "seen it"})
		require.NoError(t, err)
	}
	require.Empty(t, s.list(requests).Letters)
}

func TestRedriveSendsFirstAndKeepsWhatTheMessageHad(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	r := s.book("k1")
	other := s.dead(requests, "", "poison", "other")
	body := request(t, r.ID, 1)
	id := s.dead(requests, "zone-1", "poi\tson", body)
	command := func(sub string) string { return "tandem deadletter " + sub }

	var printed strings.Builder
	require.NoError(t, s.tool.PrintList(t.Context(), &printed, "", command, false))
	require.Contains(t, printed.String(), "  reason  poi son\n")
	require.Contains(t, printed.String(), "ride "+r.ID+", which is requested\n")
	require.Equal(t, 1, strings.Count(printed.String(), "next, for the first one:"), "where nothing is, nothing is to be done")
	require.Contains(t, printed.String(), "    tandem deadletter redrive "+requests+" --all\n")
	first := s.list(requests).Letters[0].ID
	for _, next := range []string{"show %s %s\n", "redrive %s %s\n", `discard %s %s --why "…"`} {
		require.Contains(t, printed.String(), "    "+command(fmt.Sprintf(next, requests, first)))
	}

	d, err := s.tool.Show(t.Context(), requests, id)
	require.NoError(t, err)
	printed.Reset()
	require.NoError(t, d.Print(&printed, command, false))
	require.Contains(t, printed.String(), "  next:\n    tandem deadletter redrive "+requests+" "+id+"\n")

	act, err := s.tool.Redrive(t.Context(), requests, id, deadletter.By{Who: "ana", Why: "nearby is back"})
	require.NoError(t, err)
	require.Equal(t, deadletter.OutcomeDone, act.Outcome)
	require.Equal(t, "1 visible, 0 hidden", s.on(requests), "the other one stays, and is visible")
	require.Equal(t, other, s.list(requests).Letters[0].ID)

	m := s.receive(event.QueueRideRequests)
	require.Equal(t, body, *m.Body)
	require.Equal(t, "zone-1", m.Attributes["MessageGroupId"], "a fair queue's group")
	require.Equal(t, "00-abc", *m.MessageAttributes["traceparent"].StringValue)
	require.NotContains(t, m.MessageAttributes, sqsworker.ReasonAttribute, "it is no dead letter any more")

	acts, err := s.tool.Acts(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, acts, 1)
	require.Equal(t, []string{"ana", "redrive", requests, id, r.ID, "nearby is back", "poi\tson", "done", "sent to ride-requests as " + *m.MessageId},
		[]string{acts[0].Who, acts[0].Act, acts[0].Place, acts[0].MessageID, acts[0].RideID, acts[0].Why, acts[0].Reason, acts[0].Outcome, acts[0].Result})
	require.False(t, acts[0].Verified)
	printed.Reset()
	require.NoError(t, deadletter.PrintActs(&printed, acts, false))
	require.Contains(t, printed.String(), " UTC  redrive: done, by ana (not verified)\n    message "+id+" of "+requests+", ride "+r.ID+
		"\n    why     nearby is back\n    reason  poi son\n    result  sent to")
	printed.Reset()
	require.NoError(t, deadletter.PrintActs(&printed, nil, false))
	require.Contains(t, printed.String(), "Nobody has acted")

	_, err = s.tool.Redrive(t.Context(), requests, id, ops)
	require.Equal(t, problem.NotFound, codeOf(err), "%v", err)
	require.Len(t, s.acts(), 1, "nothing was done")
}

// A FIFO queue drops what has an id that it has had within five minutes, and
// acknowledges it.
func TestARedrivenNotificationIsNotDroppedAsARepeat(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first, err := s.client.SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: s.url(event.QueueNotifications), MessageBody: aws.String("notice"), MessageGroupId: aws.String("ride-1"), MessageDeduplicationId: aws.String("e1"),
	})
	require.NoError(t, err)
	id := s.byQueue(*first.MessageId)

	_, err = s.tool.Redrive(t.Context(), notices, id, ops)
	require.NoError(t, err)
	m := s.receive(event.QueueNotifications)
	require.Equal(t, "notice", *m.Body)
	require.Equal(t, "ride-1", m.Attributes["MessageGroupId"])
	require.Equal(t, "0 visible, 0 hidden", s.on(notices))
}

// byQueue has SQS itself move a notification to the dead-letter queue, under the
// deduplication id that it was sent with, as LocalStack does.
func (s *stage) byQueue(id string) string {
	s.t.Helper()
	m := s.receive(event.QueueNotifications)
	require.Equal(s.t, id, *m.MessageId)
	out, err := s.client.SendMessage(s.t.Context(), &sqs.SendMessageInput{
		QueueUrl: s.url(notices), MessageBody: m.Body, MessageGroupId: aws.String("ride-1"), MessageDeduplicationId: aws.String(m.Attributes["MessageDeduplicationId"]),
	})
	require.NoError(s.t, err)
	_, err = s.client.DeleteMessage(s.t.Context(), &sqs.DeleteMessageInput{QueueUrl: s.url(event.QueueNotifications), ReceiptHandle: m.ReceiptHandle})
	require.NoError(s.t, err)
	return *out.MessageId
}

// What SQS has not acknowledged is not deleted; what it may have done is not called
// failed.
func TestAnActThatIsCutShort(t *testing.T) {
	t.Parallel()
	lost := errors.New("the connection broke")
	before := func(context.Context, func() error) error { return &types.InvalidMessageContents{} }
	after := func(_ context.Context, call func() error) error { return errors.Join(call(), lost) }

	s := newStage(t)
	for name, tc := range map[string]struct {
		plant         func(*calls)
		discard       bool
		outcome       string
		dead, sources string
	}{
		"SQS refuses the copy":            {func(c *calls) { c.send = before }, false, "failed", "1", "0"},
		"the send's answer is lost":       {func(c *calls) { c.send = after }, false, "unknown", "1", "1"},
		"the delete of a redrive fails":   {func(c *calls) { c.remove = before }, false, "done", "1", "1"},
		"SQS refuses the discard":         {func(c *calls) { c.remove = before }, true, "failed", "1", "0"},
		"the answer to a discard is lost": {func(c *calls) { c.remove = after }, true, "unknown", "0", "0"},
	} {
		for _, queue := range []string{requests, event.QueueRideRequests} {
			s.empty(queue)
		}
		id := s.dead(requests, "", "poison", "x")
		s.calls.send, s.calls.remove = nil, nil
		tc.plant(s.calls)

		var err error
		if tc.discard {
			_, err = s.tool.Discard(t.Context(), requests, id, deadletter.By{Who: "ops", Why: "noise"})
		} else {
			_, err = s.tool.Redrive(t.Context(), requests, id, ops)
		}
		require.Equal(t, tc.outcome != "done", err != nil, name)
		acts, readErr := s.tool.Acts(t.Context(), 0, 1)
		require.NoError(t, readErr)
		require.Equal(t, [2]string{id, tc.outcome}, [2]string{acts[0].MessageID, acts[0].Outcome}, name)

		require.Eventually(t, func() bool { return s.on(requests) == tc.dead+" visible, 0 hidden" }, 5*time.Second, 50*time.Millisecond, name)
		require.Equal(t, tc.sources+" visible, 0 hidden", s.on(event.QueueRideRequests), name)
	}
}

func TestNothingIsDoneThatCannotBeWrittenDown(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	id := s.dead(requests, "", "poison", "x")
	_, err := s.pool.Exec(t.Context(), `ALTER TABLE operations.acts RENAME TO away`)
	require.NoError(t, err)

	_, err = s.tool.Discard(t.Context(), requests, id, deadletter.By{Who: "ops", Why: "noise"})
	require.Equal(t, problem.Unavailable, codeOf(err), "%v", err)
	_, err = s.tool.Redrive(t.Context(), requests, id, ops)
	require.Equal(t, problem.Unavailable, codeOf(err), "%v", err)
	_, err = s.tool.RedriveAll(t.Context(), requests, 1, ops)
	require.Equal(t, problem.Unavailable, codeOf(err), "%v", err)
	require.Equal(t, "1 visible, 0 hidden", s.on(requests))
	require.Equal(t, "0 visible, 0 hidden", s.on(event.QueueRideRequests))

	// The outcome cannot be written, later: the intent says that something happened.
	_, err = s.pool.Exec(t.Context(), `ALTER TABLE operations.away RENAME TO acts`)
	require.NoError(t, err)
	s.calls.remove = func(ctx context.Context, call func() error) error {
		_, err := s.pool.Exec(ctx, `ALTER TABLE operations.acts ADD CHECK (outcome IS NULL)`)
		return errors.Join(err, call())
	}
	act, err := s.tool.Discard(t.Context(), requests, id, deadletter.By{Who: "ops", Why: "noise"})
	require.NoError(t, err)
	require.Nil(t, act.EndedAt)
	require.Equal(t, []string{"discard " + requests + " by ops:"}, s.acts())
}

func TestADiscardNeedsAReasonAndEachActAName(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	id := s.dead(requests, "", "poison", "x")
	for _, by := range []deadletter.By{
		{Who: "ops"}, {Who: "ops", Why: "  a "}, {Who: "ops", Why: strings.Repeat("é", 501)}, {Who: "", Why: "noise"}, {Who: "ops", Why: "a\x00bc"}, {Who: "ops", Why: "\xff\xfe\xfd"},
	} {
		_, err := s.tool.Discard(t.Context(), requests, id, by)
		require.Equal(t, problem.Invalid, codeOf(err), "%+v", by)
	}
	require.Empty(t, s.acts())
	_, err := s.tool.Discard(t.Context(), "ride-requests", id, deadletter.By{Who: "ops", Why: "noise"})
	require.Equal(t, problem.NotFound, codeOf(err), "a queue of live work is no place for this")
	require.ErrorContains(t, err, requests+", "+notices+", outbox")
	_, err = s.tool.RedriveAll(t.Context(), deadletter.Outbox, 10, ops)
	require.ErrorContains(t, err, "one by one")

	_, err = s.tool.Discard(t.Context(), requests, id, deadletter.By{Who: "ops", Why: strings.Repeat("é", 500)})
	require.NoError(t, err)
}

// While somebody else lists, or has died while listing, an act waits and is not lost.
func TestAnActWaitsForWhoeverLooks(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	id := s.dead(requests, "", "poison", "x")
	for range 4 {
		s.dead(requests, "", "poison", "y")
	}

	// It holds all of them, and never releases one.
	out, err := s.client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: s.url(requests), MaxNumberOfMessages: 10, VisibilityTimeout: 2})
	require.NoError(t, err)
	require.NotEmpty(t, out.Messages)

	stop, listing := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				listing <- nil
				return
			default:
				if _, err := s.another().List(context.Background(), requests); err != nil {
					listing <- err
					return
				}
			}
		}
	}()
	_, err = s.tool.Redrive(t.Context(), requests, id, ops)
	require.NoError(t, err)
	close(stop)
	require.NoError(t, <-listing)
	require.Equal(t, "4 visible, 0 hidden", s.on(requests))
	require.Equal(t, "1 visible, 0 hidden", s.on(event.QueueRideRequests))
}

func TestWhoLeavesWhileItIsListedHidesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.dead(requests, "", "poison", "x")
	ctx, leave := context.WithCancel(t.Context())
	s.calls.Client = leaving{s.client, leave}
	_, err := s.tool.List(ctx, requests)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, "1 visible, 0 hidden", s.on(requests))
}

// leaving calls leave when SQS has handed out messages and the answer is on its way.
type leaving struct {
	deadletter.Client
	leave func()
}

func (l leaving) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, o ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	out, err := l.Client.ReceiveMessage(context.WithoutCancel(ctx), in, o...)
	l.leave()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return out, err
}

func TestAGroupHidesWhatStandsBehindIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var ids []string
	for n := range 12 {
		ids = append(ids, s.dead(notices, "ride-1", "poison", strconv.Itoa(n)))
	}
	s.dead(notices, "ride-2", "poison", "another ride's")

	l := s.list(notices)
	require.Len(t, l.Letters, 11)
	require.Equal(t, 13, *l.Total)
	require.Equal(t, "13 visible, 0 hidden", s.on(notices))

	_, err := s.tool.Discard(t.Context(), notices, ids[11], deadletter.By{Who: "ops", Why: "noise"})
	require.Equal(t, problem.NotFound, codeOf(err))
	require.ErrorContains(t, err, "behind ten others")
	for _, id := range ids[:2] {
		_, err = s.tool.Discard(t.Context(), notices, id, deadletter.By{Who: "ops", Why: "noise"})
		require.NoError(t, err)
	}
	_, err = s.tool.Discard(t.Context(), notices, ids[11], deadletter.By{Who: "ops", Why: "noise"})
	require.NoError(t, err)
}

func TestRedriveAllAtARate(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for n := range 20 {
		s.dead(requests, "", "poison", strconv.Itoa(n))
	}
	for _, rate := range []int{0, -1, 501} {
		_, err := s.tool.RedriveAll(t.Context(), requests, rate, ops)
		require.Equal(t, problem.Invalid, codeOf(err))
	}
	_, err := s.tool.Cancel(t.Context(), requests, ops)
	require.Equal(t, problem.Conflict, codeOf(err), "nothing runs")

	_, err = s.tool.RedriveAll(t.Context(), requests, 2, ops)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		m := s.list(requests).Moving
		return m != nil && m.Moved >= 2 && m.Running() && m.Rate == 2
	}, 5*time.Second, 50*time.Millisecond)

	l := s.list(requests)
	require.Empty(t, l.Letters, "to list them would keep them from being moved")
	require.Positive(t, *l.Total)
	_, err = s.tool.Show(t.Context(), requests, "x")
	require.Equal(t, problem.Conflict, codeOf(err))
	_, err = s.another().RedriveAll(t.Context(), requests, 100, ops)
	require.Equal(t, problem.Conflict, codeOf(err))
	require.ErrorContains(t, err, "One at a time")

	_, err = s.tool.Cancel(t.Context(), requests, ops)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		m, err := s.tool.Moves(t.Context(), requests)
		return err == nil && m[0].Status == "CANCELLED"
	}, 5*time.Second, 50*time.Millisecond)

	// Two who begin at the same moment: SQS takes one, and the other's act has failed.
	moves := s.calls.move
	s.calls.move = func(ctx context.Context, call func() error) error { _ = call(); return call() }
	_, err = s.tool.RedriveAll(t.Context(), requests, 20, ops) // so slow that the first one still runs
	require.Error(t, err)
	s.calls.move = moves
	require.Eventually(t, func() bool { return s.on(requests) == "0 visible, 0 hidden" }, 10*time.Second, 50*time.Millisecond)
	require.Equal(t, "20 visible, 0 hidden", s.on(event.QueueRideRequests))
	require.Equal(t, []string{"redrive all " + requests + " by ops: failed", "cancel redrive " + requests + " by ops: done", "redrive all " + requests + " by ops: done"}, s.acts())
}

// That the database is away does not make a ride one that does not exist.
func TestALetterWhoseRideCannotBeLookedUp(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.dead(requests, "", "poison", request(t, s.book("k1").ID, 1))
	_, err := s.pool.Exec(t.Context(), `ALTER TABLE ride.rides RENAME TO away`)
	require.NoError(t, err)

	l := s.list(requests)
	require.Len(t, l.Letters, 1)
	require.False(t, l.Letters[0].Ride.Known)
	require.Contains(t, l.Letters[0].Advice, "could not be looked up")
}

func TestActsLeaveByTheirAge(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for range 3 {
		id := s.dead(requests, "", "poison", "not json")
		_, err := s.tool.Discard(t.Context(), requests, id, deadletter.By{Who: "ops", Why: "noise"})
		require.NoError(t, err)
	}
	_, err := s.pool.Exec(t.Context(), `UPDATE operations.acts SET at = at - CASE id WHEN 3 THEN interval '89 days' ELSE interval '91 days' END`)
	require.NoError(t, err)

	for _, want := range []int64{1, 1, 0} {
		n, err := s.tool.RemoveOldActs(t.Context(), 90*24*time.Hour, 1)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	acts, err := s.tool.Acts(t.Context(), 0, 0)
	require.NoError(t, err)
	require.Len(t, acts, 1)
	require.EqualValues(t, 3, acts[0].ID)
}
