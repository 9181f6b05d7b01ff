package outbox_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/outbox"
)

// forgetful is a fakeSQS that succeeds in part, and notes each entry that it was
// sent.
type forgetful struct {
	*fakeSQS
	forget string // the body that it neither takes nor answers for
	refuse string // the body that it refuses for what it holds

	mu      sync.Mutex
	entries []types.SendMessageBatchRequestEntry
}

func (f *forgetful) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, opts ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entries = append(f.entries, in.Entries...)

	taken, failed := *in, []types.BatchResultErrorEntry(nil)
	taken.Entries = slices.DeleteFunc(slices.Clone(in.Entries), func(e types.SendMessageBatchRequestEntry) bool {
		if *e.MessageBody == f.refuse {
			failed = append(failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String("InvalidMessageContents"), SenderFault: true})
			return true
		}
		return *e.MessageBody == f.forget
	})
	out, err := f.fakeSQS.SendMessageBatch(ctx, &taken, opts...)
	if err == nil {
		out.Failed = append(out.Failed, failed...)
	}
	return out, err
}

// silent never answers.
type silent struct{ *fakeSQS }

func (silent) SendMessageBatch(ctx context.Context, _ *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// A send ends before the session is ended for being idle: what became of it must
// still be written.
func TestASendEndsBeforeItsSession(t *testing.T) {
	t.Parallel()
	b := newTestBox(t)
	b.add(t, "standard", "r1", "a")
	round(t, impatient(t, b, nil).relay(silent{newFakeSQS("standard")}, nil))

	var tries int
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT tries FROM `+b.schema+`.outbox`).Scan(&tries))
	require.Equal(t, 1, tries)
}

// What SQS will never take is tried once; its reason is kept, and the key goes on.
func TestARowThatIsRefusedForGoodIsSetAside(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), &forgetful{fakeSQS: newFakeSQS("standard"), refuse: "poison"}
	b.add(t, "standard", "r1", "poison", "next")
	relay := b.relay(client, nil)

	require.Equal(t, 1, round(t, relay))
	require.Equal(t, 1, round(t, relay))
	require.Zero(t, round(t, relay))
	require.Equal(t, []string{"next"}, client.all("standard"))
	var why string
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT last_error FROM `+b.schema+`.outbox WHERE set_aside_at IS NOT NULL AND sent_at IS NULL`).Scan(&why))
	require.Contains(t, why, "InvalidMessageContents")
}

// The answer is a success and names one of two entries.
func TestAnUnansweredEntryIsSentAgain(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), &forgetful{fakeSQS: newFakeSQS("standard"), forget: "b"}
	b.add(t, "standard", "r1", "a")
	b.add(t, "standard", "r2", "b")
	relay := b.relay(client, nil)

	round(t, relay)
	require.Equal(t, 1, b.unsent(t))
	require.Equal(t, []string{"a"}, client.all("standard"))

	client.forget = ""
	b.retryNow(t)
	round(t, relay)
	require.Zero(t, b.unsent(t))
	require.Equal(t, []string{"b"}, client.all("standard"))
}

// A standard queue is told what is left of the delay, in whole seconds and never
// too few.
func TestTheDelayIsSent(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), &forgetful{fakeSQS: newFakeSQS("standard")}
	require.NoError(t, pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error {
		return b.box.Add(t.Context(), tx, outbox.Message{ID: uuid.NewString(), Queue: "standard", Key: "r1", Delay: 10 * time.Minute, Body: []byte("later")})
	}))

	round(t, b.relay(client, nil))
	require.Len(t, client.entries, 1)
	require.InDelta(t, 600, client.entries[0].DelaySeconds, 30)
	require.Equal(t, "later", aws.ToString(client.entries[0].MessageBody))
}

// A relay whose process lives on, and holds its connections, keeps no other from
// working once its round has ended.
func TestTheLockEndsWithTheTransaction(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newFakeSQS("standard")
	other, err := pgxpool.NewWithConfig(t.Context(), b.pool.Config())
	require.NoError(t, err)
	t.Cleanup(other.Close)

	b.add(t, "standard", "r1", "first")
	round(t, b.relay(client, nil))
	require.Zero(t, b.unsent(t))

	b.add(t, "standard", "r1", "second")
	second := testBox{other, b.schema, b.box}
	round(t, second.relay(client, nil))
	require.Zero(t, b.unsent(t))
}
