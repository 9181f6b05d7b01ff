package outbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/sqstest"
)

const plenty = 1 << 20

// A key that another service fills faster than it can be sent holds up no other.
func TestAKeyWithManyRowsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	for range 30 {
		b.add(t, "standard", "m", "many")
	}
	b.add(t, "standard", "a", "before it")
	b.add(t, "standard", "z", "after it")

	relay := b.relay(client, nil)
	relay.Limit(12, plenty)
	require.Equal(t, 6, round(t, relay), "four rows of each key, of which two have one")
	require.Subset(t, all(client, "standard"), []string{"before it", "after it"})
}

// More keys wait for their retry than one turn takes.
func TestKeysThatWaitForARetryHideNoOther(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	b.addMany(t, "standard", 7)
	client.On("SendMessageBatch", sqstest.RefuseEntries("InternalError", false, func(sqstest.Entry) bool { return true }))
	relay := b.relay(client, nil)
	relay.Limit(3, plenty)
	for range 3 {
		require.Zero(t, round(t, relay))

		// However slow this machine is, no retry comes due before the end.
		_, err := b.pool.Exec(t.Context(), `UPDATE `+b.schema+`.outbox SET retry_at = now() + interval '1 hour' WHERE tries > 0`)
		require.NoError(t, err)
	}

	client.On("SendMessageBatch")
	b.add(t, "standard", "a", "new, before them")
	b.add(t, "standard", "z", "new, after them")
	require.Equal(t, 1, round(t, relay))
	require.Equal(t, 1, round(t, relay))
	require.ElementsMatch(t, []string{"new, before them", "new, after them"}, all(client, "standard"))
}

// New keys come at the end all the time, as UUIDs of version 7 do, faster than they
// are sent.
func TestNewKeysAtTheEndHoldUpNoOther(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	relay := b.relay(client, nil)
	relay.Limit(2, plenty)
	next := 0
	addMore := func() {
		for range 3 {
			b.add(t, "standard", fmt.Sprintf("%04d", next), "new")
			next++
		}
	}
	addMore()
	require.Equal(t, 2, round(t, relay))

	b.add(t, "standard", "0000", "the next one of the first key")
	for range 3 {
		addMore()
		round(t, relay)
	}
	require.Contains(t, all(client, "standard"), "the next one of the first key")
}

// A turn takes some bytes at most, and goes on with what it left out.
func TestATurnTakesSomeBytesAtMost(t *testing.T) {
	t.Parallel()
	b, client := newTestBox(t), newSQS("standard")
	for _, key := range []string{"a", "b", "c"} {
		b.add(t, "standard", key, strings.Repeat(key, 10), strings.Repeat(key, 10), strings.Repeat(key, 10))
	}
	relay := b.relay(client, nil)
	relay.Limit(10, 20)
	var got []string
	for range 3 {
		require.Equal(t, 2, round(t, relay))
		for _, body := range all(client, "standard") {
			got = append(got, body[:1])
		}
	}
	require.Equal(t, []string{"a", "a", "b", "b", "c", "c"}, got, "each key has had its turn before the first one's second")

	relay.Limit(10, 5)
	require.Equal(t, []int{1, 1, 1, 0}, []int{round(t, relay), round(t, relay), round(t, relay), round(t, relay)}, "one body at least")
}
