package booking

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
)

func TestRidersDoNotReadWhoWasAsked(t *testing.T) {
	rider := auth.Identity{Subject: "rita", Role: auth.Rider}
	for data, want := range map[string]string{
		`{"driver_id":"ana","offer_id":"o","n":1}`: `{"offer_id":"o","n":1}`,
		`{"lost_driver_id":"ana"}`:                 `{}`,
		`["ana"]`:                                  `{}`, // what cannot be read is not shown
		`{"driver_id":"ana"`:                       `{}`,
	} {
		e := redactEventFor(rider, ride.Event{Kind: ride.EventOffered, Data: json.RawMessage(data)})
		require.JSONEq(t, want, string(e.Data), data)
	}
}
