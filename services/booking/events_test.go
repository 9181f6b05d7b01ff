package booking_test

import (
	"context"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
)

// A ride that was requeued has had another message before. The delete of that one
// is not the end of the stream.
func TestAStreamEndsWithTheDeleteOfTheLastMessage(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Fast())
	rita := h.as(auth.Rider, "rita")
	r := rita.book(t, "k")
	first := h.messageOf(t, r.ID, 1)
	_, err := h.store.Received(t.Context(), r.ID, 1, ride.Receipt{MessageID: first, Receives: 1})
	require.NoError(t, err)
	_, err = h.store.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActRequeue, Attempt: 1}, "worker w1")
	require.NoError(t, err)
	require.NoError(t, h.store.Deleted(t.Context(), r.ID, first, "w1"))
	second := h.messageOf(t, r.ID, 2)
	_, err = h.store.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActCancel}, "rider rita")
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	next := frames(t, rita.sendWithin(t, ctx, "GET", "/v1/rides/"+r.ID+"/events", "", "Accept", "text/event-stream"))
	for kind := ""; kind != "cancelled"; {
		var ok bool
		kind, _, ok = next()
		require.True(t, ok)
	}

	require.NoError(t, h.store.Deleted(t.Context(), r.ID, second, "w1"))
	kind, data, ok := next()
	require.True(t, ok, "the stream ended before the message was deleted")
	require.Equal(t, "deleted", kind)
	require.Contains(t, data, second)
	_, _, ok = next()
	require.False(t, ok)
	require.NoError(t, ctx.Err(), "it ended by itself")
}

// A client that connects again has seen of which messages the ride was told: they are
// still on the queue.
func TestAStreamThatIsResumedKnowsTheMessagesOfBefore(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Fast())
	rita := h.as(auth.Rider, "rita")
	r := rita.book(t, "k")
	first := h.messageOf(t, r.ID, 1)
	_, err := h.store.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActRequeue, Attempt: 1}, "worker w1")
	require.NoError(t, err)
	second := h.messageOf(t, r.ID, 2)
	_, err = h.store.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActCancel}, "rider rita")
	require.NoError(t, err)
	seen, err := h.store.Events(t.Context(), r.ID, 0, 100)
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	asked := time.Now()
	next := frames(t, rita.sendWithin(t, ctx, "GET", "/v1/rides/"+r.ID+"/events", "",
		"Accept", "text/event-stream", "Last-Event-ID", jsonOf(t, seen[len(seen)-1].Seq)))
	require.Less(t, time.Since(asked), 14*time.Second, "the answer did not wait for the first heartbeat")
	for _, message := range []string{first, second} {
		require.NoError(t, h.store.Deleted(t.Context(), r.ID, message, "w1"))
		kind, data, ok := next()
		require.True(t, ok, "the stream ended before the message was deleted")
		require.Equal(t, "deleted", kind)
		require.Contains(t, data, message)
	}
	_, _, ok := next()
	require.False(t, ok)
	require.NoError(t, ctx.Err(), "it ended by itself")
}

// A client that connects again after the last event has nothing more to wait for.
func TestAStreamOfARideThatEndedLongAgoEnds(t *testing.T) {
	t.Parallel()
	h := start(t, profile.Fast())
	rita := h.as(auth.Rider, "rita")
	r := rita.book(t, "k")
	_, err := h.store.Do(t.Context(), r.ID, ride.Action{Kind: ride.ActCancel}, "rider rita")
	require.NoError(t, err)
	h.messageOf(t, r.ID, 1) // after this nothing is written any more
	_, err = h.pool.Exec(t.Context(), `UPDATE ride.rides SET ended_at = ended_at - interval '1 minute'`)
	require.NoError(t, err)
	events, err := h.store.Events(t.Context(), r.ID, 0, 10)
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	next := frames(t, rita.sendWithin(t, ctx, "GET", "/v1/rides/"+r.ID+"/events", "",
		"Accept", "text/event-stream", "Last-Event-ID", jsonOf(t, events[len(events)-1].Seq)))
	_, _, ok := next()
	require.False(t, ok)
	require.NoError(t, ctx.Err(), "it ended by itself")
}

// A stream that ends because the service stops has not told the rest. A client that
// took that for the end would not ask for it.
func TestAStreamThatIsCutDoesNotEndInOrder(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(h *harness){
		"the service stops": func(h *harness) { h.stop() },
		"the database fails": func(h *harness) {
			_, err := h.pool.Exec(t.Context(), `ALTER TABLE ride.ride_events RENAME TO gone`)
			require.NoError(t, err)
			// Whatever is notified, the stream is read again.
			_, err = h.pool.Exec(t.Context(), `SELECT pg_notify($1, json_build_object('r', id)::text) FROM ride.rides`, "tandem_rides")
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, profile.Fast())
			rita := h.as(auth.Rider, "rita")
			r := rita.book(t, "k")
			resp := rita.send(t, "GET", "/v1/rides/"+r.ID+"/events", "", "Accept", "text/event-stream")
			breaks(h)
			_, err := io.ReadAll(resp.Body)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		})
	}
}

// messageOf waits until the relay has noted the message of an attempt.
func (h *harness) messageOf(t *testing.T, rideID string, attempt int) string {
	t.Helper()
	var data struct {
		MessageID string `json:"message_id"`
	}
	require.Eventually(t, func() bool {
		events, err := h.store.Events(t.Context(), rideID, 0, 100)
		for _, e := range events {
			if e.Kind == ride.EventQueued && e.Attempt == attempt {
				require.NoError(t, json.Unmarshal(e.Data, &data))
			}
		}
		return err == nil && data.MessageID != ""
	}, patience, look)
	return data.MessageID
}
