package booking

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
)

func TestOnlyOperatorsReadErrorsAndOperatorsWords(t *testing.T) {
	const secret = "dial tcp 10.0.3.7:5432: password authentication failed for user tandem"
	events := []ride.Event{
		{Kind: ride.EventDeadLettered, By: "worker dispatch-7", Data: json.RawMessage(`{"reason":"` + secret + `"}`)},
		{Kind: ride.EventEnded, By: "admin olga", Data: json.RawMessage(`{"reason":"` + secret + `"}`)},
		{Kind: ride.EventCancelled, By: "admin olga", Data: json.RawMessage(`{"reason":"` + secret + `"}`)},
	}
	for _, role := range []auth.Role{auth.Rider, auth.Driver} {
		for _, e := range events {
			e = redactEventFor(auth.Identity{Subject: "x", Role: role}, e)
			require.NotContains(t, string(e.Data)+e.By, "10.0.3.7", "%s reads %s", role, e.Kind)
			require.NotContains(t, e.By, "olga")
			require.Contains(t, string(e.Data), "operator", "it says that somebody looks, or has acted")
		}
		r := redactFor(auth.Identity{Subject: "x", Role: role}, ride.Ride{State: ride.Completed, EndReason: secret, EndedByOperator: true})
		require.Equal(t, "An operator ended this ride.", r.EndReason)
		r = redactFor(auth.Identity{Subject: "x", Role: role}, ride.Ride{State: ride.Cancelled, EndReason: "I walk"})
		require.Equal(t, "I walk", r.EndReason, "a rider's own words")
	}
	for _, role := range []auth.Role{auth.Admin, auth.Service, auth.Importer} {
		for _, e := range events {
			require.Equal(t, e, redactEventFor(auth.Identity{Subject: "x", Role: role}, e))
		}
	}
}

func TestOnlyOperatorsReadWhoElseWasAsked(t *testing.T) {
	rider, other, own := auth.Identity{Subject: "rita", Role: auth.Rider}, auth.Identity{Subject: "bob", Role: auth.Driver}, auth.Identity{Subject: "ana", Role: auth.Driver}
	for data, want := range map[string]string{
		`{"driver_id":"ana","offer_id":"o","n":1}`: `{"offer_id":"o","n":1}`,
		`{"lost_driver_id":"ana"}`:                 `{}`,
		`["ana"]`:                                  `{}`, // what cannot be read is not shown
		`{"driver_id":"ana"`:                       `{}`,
	} {
		for _, id := range []auth.Identity{rider, other} {
			e := redactEventFor(id, ride.Event{Kind: ride.EventOffered, Data: json.RawMessage(data)})
			require.JSONEq(t, want, string(e.Data), data)
		}
	}

	refused := ride.Event{Kind: ride.EventRefused, By: "driver ana", Data: json.RawMessage(`{"driver_id":"ana"}`)}
	require.Equal(t, "driver", redactEventFor(other, refused).By)
	require.Equal(t, refused, redactEventFor(own, refused), "one's own")
}
