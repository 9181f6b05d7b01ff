package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// unreliable is an SQS that takes bodies "key/n" and fails in every way that it can:
// an entry, a call, before and after the fact. It notes what it took.
type unreliable struct {
	*fakeSQS
	kill func() // ends the relay's session

	mu       sync.Mutex
	random   *rand.Rand
	fails    bool
	taken    []string        // bodies, in the order in which they were taken
	repeated map[string]bool // may be sent again: nobody was told that it was taken
	inFlight map[string]bool // keys
	broken   error           // the first rule that was broken
}

func (u *unreliable) SendMessageBatch(_ context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	u.begin(in)
	defer u.end(in)
	u.mu.Lock()
	defer u.mu.Unlock()

	switch u.roll(20) {
	case 0:
		return nil, errors.New("no route to host")
	case 1:
		u.take(in.Entries, true)
		return nil, errors.New("the answer was lost")
	case 2:
		u.kill()
		u.take(in.Entries, true)
		return &sqs.SendMessageBatchOutput{}, nil
	}

	out := &sqs.SendMessageBatchOutput{}
	for _, e := range in.Entries {
		switch refused := strings.HasSuffix(*e.MessageBody, "poison"); {
		case refused && u.roll(2) == 0:
			return nil, &types.InvalidMessageContents{} // nothing of the call was taken
		case refused:
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String("InvalidMessageContents"), SenderFault: true})
		case u.roll(10) == 0:
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String("InternalError")})
		case u.roll(10) == 1:
			u.take([]types.SendMessageBatchRequestEntry{e}, true) // taken, and not answered for
		default:
			out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{Id: e.Id, MessageId: e.Id})
		}
	}
	for _, ok := range out.Successful {
		var i int
		_, _ = fmt.Sscan(*ok.Id, &i)
		u.take(in.Entries[i:i+1], false)
	}
	return out, nil
}

// roll returns 0 to n-1, or n while nothing fails.
func (u *unreliable) roll(n int) int {
	if !u.fails {
		return n
	}
	return u.random.IntN(n)
}

func (u *unreliable) take(entries []types.SendMessageBatchRequestEntry, mayRepeat bool) {
	for _, e := range entries {
		if strings.HasSuffix(*e.MessageBody, "poison") {
			continue
		}
		if slices.Contains(u.taken, *e.MessageBody) && !u.repeated[*e.MessageBody] {
			u.broken = fmt.Errorf("%s was acknowledged and marked, and is sent again", *e.MessageBody)
		}
		u.taken = append(u.taken, *e.MessageBody)
		u.repeated[*e.MessageBody] = mayRepeat
	}
}

func keyOf(e types.SendMessageBatchRequestEntry) string {
	key, _, _ := strings.Cut(*e.MessageBody, "/")
	return key
}

func (u *unreliable) begin(in *sqs.SendMessageBatchInput) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, e := range in.Entries {
		if u.inFlight[keyOf(e)] {
			u.broken = fmt.Errorf("two rows of key %s are in flight", keyOf(e))
		}
		u.inFlight[keyOf(e)] = true
	}
}

func (u *unreliable) end(in *sqs.SendMessageBatchInput) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, e := range in.Entries {
		delete(u.inFlight, keyOf(e))
	}
}

// Whatever fails, each key's rows are taken in their order, each at least once, and
// twice only if nobody was told of the first time or the mark was not committed.
func TestEachKeyKeepsItsOrderWhateverFails(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			b, random := newTestBox(t), rand.New(rand.NewPCG(seed, 0))
			u := &unreliable{
				fakeSQS: newFakeSQS("standard"), kill: b.killRelay, random: random, fails: true,
				repeated: map[string]bool{}, inFlight: map[string]bool{},
			}
			wanted := map[string][]string{} // by key: what must be taken
			keys, n := 1+random.IntN(30), 0

			for turn := range 30 {
				if turn < 20 {
					for range random.IntN(20) {
						n++
						key := fmt.Sprint("k", random.IntN(keys))
						body := fmt.Sprintf("%s/%d", key, n)
						if random.IntN(20) == 0 {
							body += " poison"
						} else {
							wanted[key] = append(wanted[key], body)
						}
						b.add(t, "standard", key, body)
					}
				}
				u.fails = turn < 25
				relay := b.relay(u, nil) // a new one: for the old one the queue may rest
				relay.Limit(1+random.IntN(40), plenty)
				before := len(u.taken)
				if _, err := relay.Round(t.Context()); err != nil { // no mark was committed
					for _, body := range u.taken[before:] {
						u.repeated[body] = true
					}
				}
				b.retryNow(t)
			}
			relay := b.relay(u, nil)
			for round(t, relay) > 0 {
			}

			require.NoError(t, u.broken)
			firsts := map[string][]string{}
			seen := map[string]bool{}
			for _, body := range u.taken {
				if key, _, _ := strings.Cut(body, "/"); !seen[body] {
					firsts[key] = append(firsts[key], body)
					seen[body] = true
				}
			}
			require.Equal(t, wanted, firsts)
			require.NoError(t, b.tx(t, func(tx pgx.Tx) error {
				stats, err := b.box.Stats(t.Context(), tx)
				require.Zero(t, stats.Unsent)
				return err
			}))
		})
	}
}
