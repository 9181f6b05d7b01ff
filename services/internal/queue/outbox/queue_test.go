package outbox

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/sqstest"
)

func TestReadyNamesAMissingQueue(t *testing.T) {
	log, f := &bytes.Buffer{}, sqstest.New()
	f.Queue("a", sqstest.Settings{})
	r, err := NewRelay(Options{
		Pool: &pgxpool.Pool{}, Box: New("s", "outbox"), Client: f, Log: slog.New(slog.NewTextHandler(log, nil)), Queues: []string{"a", "b"},
	})
	require.NoError(t, err)
	require.NoError(t, r.Ready(t.Context()))
	for range 3 {
		r.checkQueues(t.Context())
	}
	var missing *SetupError
	require.ErrorAs(t, r.Ready(t.Context()), &missing)
	require.Equal(t, "queue b does not exist: deploy it; messages wait in the outbox until then", missing.Advice())
	require.Equal(t, 1, strings.Count(log.String(), "level=ERROR"), "it is logged once")

	f.Queue("b", sqstest.Settings{})
	r.checkQueues(t.Context())
	require.NoError(t, r.Ready(t.Context()))

	f.On("GetQueueUrl", sqstest.Fail(errors.New("no route to host")))
	r.setQueueErr("a", errors.New("access denied")) // as a send found out
	r.checkQueues(t.Context())
	require.ErrorContains(t, r.Ready(t.Context()), "access denied", "the reason of the send stays")
	f.On("GetQueueUrl")
	r.checkQueues(t.Context())
	require.ErrorContains(t, r.Ready(t.Context()), "access denied", "that it exists does not mean that it takes messages")

	r.setQueueErr("a", nil)
	require.NoError(t, r.Ready(t.Context()))
}

// Once SQS answers, Ready must return nil without a send: there may be no message
// to send until Ready returns nil.
func TestAFoundQueueIsReadyAgain(t *testing.T) {
	f := sqstest.New()
	f.On("GetQueueUrl", sqstest.Fail(errors.New("no route to host")))
	r, err := NewRelay(Options{Pool: &pgxpool.Pool{}, Box: New("s", "outbox"), Client: f, Queues: []string{"a"}})
	require.NoError(t, err)
	r.checkQueues(t.Context())
	require.ErrorContains(t, r.Ready(t.Context()), "no route to host")

	f.On("GetQueueUrl")
	r.checkQueues(t.Context())
	var missing *SetupError
	require.ErrorAs(t, r.Ready(t.Context()), &missing, "it is told what is wrong now")

	f.On("GetQueueUrl", sqstest.Fail(errors.New("no route to host")))
	r.checkQueues(t.Context())
	f.On("GetQueueUrl")
	f.Queue("a", sqstest.Settings{})
	r.checkQueues(t.Context())
	require.NoError(t, r.Ready(t.Context()))
}

// That a queue is not told, with a code that would condemn a row, is no row's fault.
func TestAQueueThatCannotBeFoundIsNoRowsFault(t *testing.T) {
	f := sqstest.New()
	f.On("GetQueueUrl", sqstest.Fail(&smithy.GenericAPIError{Code: "InvalidParameterValue", Fault: smithy.FaultClient}))
	r, err := NewRelay(Options{Pool: &pgxpool.Pool{}, Box: New("s", "outbox"), Client: f})
	require.NoError(t, err)
	x := &row{queue: "a", key: "k", body: []byte("x")}
	require.Len(t, r.send(t.Context(), "a", [][]*row{{x}}, time.Minute), 1)
	require.NotErrorIs(t, x.err, errRefused, "it is tried again")
}

func TestARecreatedQueueIsLookedUpAgain(t *testing.T) {
	f := sqstest.New()
	a := f.Queue("a", sqstest.Settings{})
	r, err := NewRelay(Options{Pool: &pgxpool.Pool{}, Box: New("s", "outbox"), Client: f})
	require.NoError(t, err)
	_, err = r.url(t.Context(), "a")
	require.NoError(t, err)

	a.Delete()
	_, err = r.url(t.Context(), "a")
	require.NoError(t, err, "it is remembered")
	r.setQueueErr("a", errors.New("it does not exist"))
	var missing *SetupError
	_, err = r.url(t.Context(), "a")
	require.ErrorAs(t, err, &missing)
}

// A limit that has changed since a row was added must not stop the relay.
func TestACallHasAtLeastOneRow(t *testing.T) {
	require.Equal(t, 1, callLength([]*row{{body: make([]byte, MaxSize+1)}, {body: []byte("x")}}))
}
