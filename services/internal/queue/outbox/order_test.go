package outbox_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/outbox"
	"tandem/services/internal/queue/sqstest"
)

// unreliable is an SQS that takes bodies "key/n" and fails in every way that it can: an
// entry, a call, before and after the fact.
type unreliable struct {
	*sqstest.SQS
	kill func() // ends the relay's session

	mu     sync.Mutex
	random *rand.Rand
}

// lot reports true once in n times.
func (u *unreliable) lot(n int) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.random.IntN(n) == 0
}

func isPoison(e sqstest.Entry) bool { return strings.HasSuffix(e.Body, "poison") }

// setFails plans the failures, or that only what is poison is refused.
func (u *unreliable) setFails(fails bool) {
	poison := sqstest.RefuseEntries("InvalidMessageContents", true, isPoison)
	if !fails {
		u.On("SendMessageBatch", poison)
		return
	}

	seldom := func(sqstest.Call) bool { return u.lot(20) }
	some := func(sqstest.Entry) bool { return u.lot(10) }
	u.On("SendMessageBatch",
		sqstest.Fail(errors.New("no route to host")).When(seldom),
		sqstest.Fail(&types.InvalidMessageContents{}).When(func(c sqstest.Call) bool {
			return slices.ContainsFunc(c.Entries, isPoison) && u.lot(2)
		}),
		poison,
		sqstest.RefuseEntries("InternalError", false, some),
		sqstest.SkipEntries(true, some), // taken, and not answered for
		sqstest.Then(u.kill).When(seldom),
		sqstest.LoseAnswer(errors.New("the answer was lost")).When(seldom),
	)
}

// told returns the bodies that the calls were told of: they were taken, and SQS said so.
func told(calls []sqstest.Call) map[string]bool {
	bodies := map[string]bool{}
	for _, c := range calls {
		out, ok := c.Output.(*sqs.SendMessageBatchOutput)
		if !ok {
			continue
		}
		for _, done := range out.Successful {
			for _, e := range c.Entries {
				if e.ID == *done.Id {
					bodies[e.Body] = true
				}
			}
		}
	}
	return bodies
}

func keyOf(body string) string {
	key, _, _ := strings.Cut(body, "/")
	return key
}

// requireOneOfAKey requires that no two rows of a key were in flight at the same time.
func requireOneOfAKey(t *testing.T, calls []sqstest.Call) {
	t.Helper()
	ended := map[string]time.Time{} // by key: when its latest call ended
	for _, c := range calls {
		for _, e := range c.Entries {
			require.False(t, c.Began.Before(ended[keyOf(e.Body)]), "two rows of key %s are in flight", keyOf(e.Body))
			ended[keyOf(e.Body)] = c.Ended
		}
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
			u := &unreliable{SQS: newSQS("standard"), kill: b.killRelay, random: rand.New(rand.NewPCG(seed, 1))}
			wanted, taken := map[string][]string{}, map[string][]string{} // by key: what must be taken, and what was, each once
			mayRepeat := map[string]bool{}                                // nobody was told that it was taken, or the mark was not committed
			take := func(relay *outbox.Relay) int {
				before := len(u.Calls("SendMessageBatch"))
				sent, err := relay.Round(t.Context())
				ok := told(u.Calls("SendMessageBatch")[before:])
				for _, body := range all(u.SQS, "standard") {
					repeats, again := mayRepeat[body]
					require.True(t, !again || repeats, "%s was acknowledged and marked, and is sent again", body)
					if !again {
						taken[keyOf(body)] = append(taken[keyOf(body)], body)
					}
					mayRepeat[body] = err != nil || !ok[body]
				}
				return sent
			}
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
				u.setFails(turn < 25)
				relay := b.relay(u, nil) // a new one: for the old one the queue may rest
				relay.Limit(1+random.IntN(40), plenty)
				take(relay)
				b.retryNow(t)
			}
			relay := b.relay(u, nil)
			for take(relay) > 0 {
			}

			requireOneOfAKey(t, u.Calls("SendMessageBatch"))
			require.Equal(t, wanted, taken)
			require.NoError(t, b.tx(t, func(tx pgx.Tx) error {
				stats, err := b.box.Stats(t.Context(), tx)
				require.Zero(t, stats.Unsent)
				return err
			}))
		})
	}
}
