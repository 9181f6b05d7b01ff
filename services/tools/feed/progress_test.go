package feed

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/client"
)

func TestAGatewayThatIsNotThereIsNamedWhileItWaits(t *testing.T) {
	td := newTandem(t)
	td.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := Run(ctx, io.Discard, Config{GatewayURL: td.URL, File: write(t, "x.csv", threePoints), Quiet: true})
	require.ErrorContains(t, err, "stopped after 0 of 3; the same command with --resume goes on there")
	require.ErrorContains(t, err, "waiting for "+td.URL)
	require.ErrorContains(t, err, "connection refused")
}

func TestProgressOfTripsGoesByWhatEnded(t *testing.T) {
	f := &feeder{rec: &recording{trips: make([]trip, 10)}}
	f.rec.kind = tripsKind
	f.summary = Summary{Accepted: 6, Ended: map[string]int{client.Completed: 2}}
	require.Equal(t, "6 of 10 rides booked, 4 under way, 2 ended, 0 refused, 1.0/s, 8s left", strings.TrimSpace(f.progressText(2*time.Second)))

	f.waits(errors.New("connection refused"))
	require.Contains(t, f.progressText(time.Second), "connection refused")
}
