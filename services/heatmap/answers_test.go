package heatmap

import (
	"fmt"
	"testing"
	"time"

	"tandem/services/internal/auth"
	"tandem/services/internal/stream/shardreader/fakestream"
	"tandem/services/test/apitest"
	"tandem/services/test/pointstest"
)

// TestTheDescribedAnswersHappen provokes what docs/openapi.yaml says of the service's
// route.
func TestTheDescribedAnswersHappen(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := newService(caughtUp(pool))
	stream := fakestream.New("0")
	stream.Put("0", "d", pointstest.Encode(t, "d", time.Now().Add(-3*time.Minute).UnixMilli()))
	pointstest.Read(t, stream, pool, "a", s.store)
	pointstest.Eventually(t, pool, 1, total)

	api := apitest.Serve(t, pointstest.Signer(t), s.routes())
	viewer, ops := auth.Identity{Role: auth.Viewer, Subject: "viewer"}, auth.Identity{Role: auth.Admin, Subject: "ops"}
	const path = "/v1/heatmap?raw=1"
	recently := fmt.Sprint(time.Now().Add(-3 * time.Minute).UnixMilli())
	api.RefusesWrongInput(t, []apitest.Request{{Op: "heatmap", Who: viewer, Path: "/v1/heatmap?box=-57,-35,-56,-34&at=" + recently}, {Op: "heatmap", Who: ops, Path: path}}, nil)
	api.Provoke(t, []apitest.Request{
		{Op: "heatmap", Who: viewer, Status: 200}, // no cell has five drivers
		{Op: "heatmap", Who: ops, Status: 200, Path: path},
		{Op: "heatmap", Who: ops, Status: 200, Path: path + "&from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z"},
		{Op: "heatmap", Who: viewer, Status: 403, Path: path},
		{Op: "heatmap", Who: viewer, Status: 400, Path: "/v1/heatmap?minutes=15"},
		{Op: "heatmap", Who: ops, Status: 400, Path: path + "&minutes=16"},
		{Op: "heatmap", Who: viewer, Status: 400, Path: "/v1/heatmap?raw=yes"},
		{Op: "heatmap", Who: viewer, Status: 400, Path: "/v1/heatmap?from=2026-01-01T00:00:00Z"},
		{Op: "heatmap", Who: ops, Status: 400, Path: path + "&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"},
		{Op: "heatmap", Who: ops, Status: 400, Path: path + "&from=0"},
		{
			Op: "heatmap", Who: viewer, Status: 503, Path: fmt.Sprint("/v1/heatmap?at=", time.Now().Add(-10*time.Minute).UnixMilli()),
			Before: func(*apitest.Request) { countedTo(s.store, time.Now().Add(-20*time.Minute)) },
		},
	}, map[string]string{"429": "httpserver's tests have the limits"})
}
