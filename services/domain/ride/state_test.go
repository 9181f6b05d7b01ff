package ride_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/domain/ride"
)

func kinds() []ride.ActionKind {
	return []ride.ActionKind{ride.ActOffer, ride.ActAccept, ride.ActRefuse, ride.ActExpireOffer, ride.ActArrive, ride.ActPickUp,
		ride.ActDropOff, ride.ActCancel, ride.ActGiveUp, ride.ActRequeue, ride.ActEnd}
}

func TestNextIsThisTable(t *testing.T) {
	table := map[ride.State]map[ride.ActionKind]ride.State{
		ride.Requested: {ride.ActOffer: ride.Offered, ride.ActCancel: ride.Cancelled, ride.ActGiveUp: ride.Unfulfilled, ride.ActRequeue: ride.Requested},
		ride.Offered: {ride.ActAccept: ride.Assigned, ride.ActRefuse: ride.Requested, ride.ActExpireOffer: ride.Requested,
			ride.ActCancel: ride.Cancelled, ride.ActGiveUp: ride.Unfulfilled, ride.ActRequeue: ride.Requested},
		ride.Assigned: {ride.ActArrive: ride.Arrived, ride.ActCancel: ride.Cancelled, ride.ActRequeue: ride.Requested},
		ride.Arrived:  {ride.ActPickUp: ride.PickedUp, ride.ActCancel: ride.Cancelled, ride.ActRequeue: ride.Requested},
		ride.PickedUp: {ride.ActDropOff: ride.Completed, ride.ActEnd: ride.Completed},
	}

	for _, from := range ride.States() {
		for _, k := range kinds() {
			to, err := ride.Next(from, ride.Action{Kind: k})
			want, ok := table[from][k]
			if !ok {
				require.ErrorIs(t, err, ride.ErrState, "%s %s", from, k)
				require.Equal(t, from, to)
				continue
			}
			require.NoError(t, err, "%s %s", from, k)
			require.Equal(t, want, to)
		}
	}
}

func TestFromEveryStateThereIsAWayToAnEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state := ride.Requested
		for range 30 {
			if next, err := ride.Next(state, ride.Action{Kind: rapid.SampledFrom(kinds()).Draw(t, "kind")}); err == nil {
				require.False(t, state.Terminal(), "nothing leads out of an end")
				state = next
			}
		}

		reach := map[ride.State]bool{state: true}
		for range ride.States() {
			for s := range reach {
				for _, k := range kinds() {
					if to, err := ride.Next(s, ride.Action{Kind: k}); err == nil {
						reach[to] = true
					}
				}
			}
		}
		require.True(t, reach[ride.Completed] || state.Terminal())
	})
}
