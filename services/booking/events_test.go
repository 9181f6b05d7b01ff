package booking_test

import (
	"context"
	"encoding/json"
	"testing"

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
