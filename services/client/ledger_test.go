package client_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/client"
)

func TestPromisedIsTheAcceptedPrefixLessTheRefused(t *testing.T) {
	sent := []client.Point{{Seq: 1}, {Seq: 2}, {Seq: 3}, {Seq: 4}}
	p := client.NewPointsEntry("d", sent, client.PointsAnswer{Status: 503, AcceptedThrough: 3, Refused: []client.Refused{{Seq: 2}}})
	require.Equal(t, client.PointsEntry{Driver: "d", Seqs: []int64{1, 2, 3, 4}, Status: 503, AcceptedThrough: 3, Refused: []int64{2}}, p)
	require.Equal(t, []int64{1, 3}, p.Promised())
}
