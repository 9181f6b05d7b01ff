package booking

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/ride"
)

// A ride that is sent to the queue again has a message to come while the outbox keeps
// it: the delete of the one before is not the last.
func TestAMessageThatIsPromisedIsLeft(t *testing.T) {
	left := messagesLeft{}
	note := func(kind ride.EventKind, attempt int, message string) bool {
		data := `{}`
		if message != "" {
			data = `{"message_id":"` + message + `"}`
		}
		left.note(ride.Event{Kind: kind, Attempt: attempt, Data: []byte(data)})
		return left.none()
	}

	require.False(t, note(ride.EventRequested, 1, ""))
	require.False(t, note(ride.EventReceived, 1, "m1"))
	require.False(t, note(ride.EventRequeued, 2, ""))
	require.False(t, note(ride.EventDeleted, 2, "m1"), "the second is not even sent")
	require.False(t, note(ride.EventCancelled, 2, ""))
	require.False(t, note(ride.EventQueued, 1, "m1"), "the relay's note may come late")
	require.False(t, note(ride.EventQueued, 2, "m2"))
	require.True(t, note(ride.EventDeleted, 2, "m2"))
}
