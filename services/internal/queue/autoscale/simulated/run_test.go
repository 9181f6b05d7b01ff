package simulated_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/autoscale"
	"tandem/services/internal/queue/autoscale/simulated"
)

func options() simulated.Options {
	return simulated.Options{
		Policy: autoscale.Policy{
			Min: 2, Max: 6, Latency: 10 * time.Second, Holds: 5, Handling: 4 * time.Second,
			WarmUp: 20 * time.Second, ScaleInAfter: time.Minute, Fresh: 15 * time.Second,
		},
		For: 10 * time.Minute, Every: 5 * time.Second, StartsIn: 2 * time.Second,
		Rate: func(at time.Duration) float64 {
			if at >= time.Minute && at < 4*time.Minute {
				return 5
			}
			return 0.5
		},
	}
}

// A load of 5 messages a second comes, stays for three minutes, and goes.
func Example() {
	o := options()
	o.Even = true

	for _, l := range simulated.Run(o) {
		if l.Want != l.Workers {
			fmt.Printf("%s: %d -> %d workers, %d wait\n", l.At, l.Workers, l.Want, l.Visible)
		}
	}
	// Output:
	// 1m10s: 2 -> 3 workers, 26 wait
	// 1m35s: 3 -> 5 workers, 60 wait
	// 5m0s: 5 -> 4 workers, 0 wait
	// 6m5s: 4 -> 3 workers, 0 wait
	// 7m10s: 3 -> 2 workers, 0 wait
}

func TestTheSameSeedHasTheSameRun(t *testing.T) {
	o := options()
	first := simulated.Run(o)
	require.Equal(t, first, simulated.Run(o))

	o.Seed = 2
	require.NotEqual(t, first, simulated.Run(o))
}

// Each message that arrived waits, is in flight, or is settled; workers hold no more
// than they may, and none receives while all are down.
func TestNoMessageIsLost(t *testing.T) {
	o := options()
	o.Down = func(at time.Duration) bool { return at >= 2*time.Minute && at < 3*time.Minute }
	o.Silent = func(at time.Duration) bool { return at >= 5*time.Minute && at < 6*time.Minute }
	taken := 0

	for _, l := range simulated.Run(o) {
		require.Equal(t, l.Arrived, l.Visible+l.InFlight+l.Settled, "at %s", l.At)
		require.LessOrEqual(t, l.InFlight, o.Policy.Max*o.Policy.Holds)
		if o.Down(l.At) && l.At > 2*time.Minute {
			require.Equal(t, taken, l.Taken, "at %s", l.At)
			require.Zero(t, l.Ready)
		}
		if o.Silent(l.At) {
			require.Zero(t, l.Want-l.Workers, "what is not known changes nothing")
		}
		taken = l.Taken
	}
}
