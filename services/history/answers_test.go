package history

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tandem/services/internal/auth"
	"tandem/services/internal/problem"
	"tandem/services/internal/stream/shardreader/fakestream"
	"tandem/services/test/apitest"
	"tandem/services/test/pointstest"
)

// TestTheDescribedAnswersHappen provokes what docs/openapi.yaml says of the service's
// routes.
func TestTheDescribedAnswersHappen(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := newStore(pool)
	stream := fakestream.New("0")
	stream.Put("0", "d", pointstest.Encode(t, "d", day2013))
	pointstest.Read(t, stream, pool, "a", s)
	pointstest.Eventually(t, pool, 1, total)

	picked := time.UnixMilli(day2013)
	s.ride = func(_ context.Context, _ auth.Identity, id string) (trip, error) {
		if id == apitest.Nobodys {
			return trip{}, problem.New(problem.NotFound, "There is no ride with this id.")
		}
		return trip{DriverID: "d", PickedUpAt: &picked}, nil
	}

	api := apitest.Serve(t, pointstest.Signer(t), routes(s))
	d, other, ops := auth.Identity{Role: auth.Driver, Subject: "d"}, auth.Identity{Role: auth.Driver, Subject: "e"}, auth.Identity{Role: auth.Admin, Subject: "ops"}
	const span, nul = "/v1/drivers/d/points?from=1372636858000&to=2013-07-01T12:00:00Z", "/v1/drivers/a%00b"
	const track, way = "/v1/drivers/d/track?from=1372636858000&to=2013-07-01T12:00:00Z&limit=1", "/v1/rides/019b0000-0000-7000-8000-000000000001/track"
	now := time.Now()
	play := fmt.Sprintf("/v1/playback?box=-57,-35,-56,-34&from=%d&to=%d", now.Add(-time.Minute).UnixMilli(), now.UnixMilli())
	asJSON := []string{"Accept", "application/json"}
	api.RefusesWrongInput(t, []apitest.Request{{Op: "storedPoints", Who: ops, Path: span}, {Op: "driverTrack", Who: d, Path: track}, {Op: "rideTrack", Who: d, Path: way}, {Op: "playback", Who: ops, Path: play + "&step=7&limit=10"}}, nil)
	api.Provoke(t, []apitest.Request{
		{Op: "lastPoint", Who: d, Status: 200, Path: "/v1/drivers/d/last"},
		{Op: "lastPoint", Who: other, Status: 404, Path: "/v1/drivers/d/last"},
		{Op: "lastPoint", Who: ops, Status: 404, Path: nul + "/last"},
		{Op: "storedPoints", Who: ops, Status: 200, Path: span},
		{Op: "storedPoints", Who: ops, Status: 200, Path: span + "&limit=1"},
		{Op: "storedPoints", Who: ops, Status: 200, Path: "/v1/drivers/e/points"}, // who has none
		{Op: "storedPoints", Who: ops, Status: 404, Path: nul + "/points"},
		{Op: "storedPoints", Who: ops, Status: 400, Path: "/v1/drivers/d/points?from=yesterday"},
		{Op: "storedPoints", Who: ops, Status: 400, Path: "/v1/drivers/d/points?limit=0"},
		{Op: "driverTrack", Who: d, Status: 200, Path: track},
		{Op: "driverTrack", Who: ops, Status: 200, Path: "/v1/drivers/e/track"},
		{Op: "driverTrack", Who: other, Status: 404, Path: track},
		{Op: "driverTrack", Who: ops, Status: 404, Path: nul + "/track"},
		{Op: "driverTrack", Who: ops, Status: 400, Path: track + "&simplify=-1"},
		{Op: "driverTrack", Who: ops, Status: 400, Path: "/v1/drivers/d/track?from=2013-07-01T12:00:00Z&to=2013-07-01T11:00:00Z"},
		{Op: "driverTrack", Who: ops, Status: 400, Path: "/v1/drivers/d/track?from=2013-07-01T12:00:00Z&to=2013-07-02T13:00:00Z"},
		{Op: "rideTrack", Who: d, Status: 200, Path: way},
		{Op: "rideTrack", Who: d, Status: 404, Path: "/v1/rides/" + apitest.Nobodys + "/track"},
		{Op: "rideTrack", Who: d, Status: 404, Path: "/v1/rides/a%00b/track"},
		{Op: "rideTrack", Who: d, Status: 400, Path: way + "?simplify=much"},
		{Op: "playback", Who: ops, Status: 200, Path: play},
		{Op: "playback", Who: ops, Status: 200, Path: play, Header: asJSON},
		{Op: "playback", Who: ops, Status: 400, Path: "/v1/playback"},
		{Op: "playback", Who: ops, Status: 400, Path: play + "&step=0"},
		{Op: "playback", Who: ops, Status: 400, Path: play + "&after=x"},
		{Op: "playback", Who: ops, Status: 400, Path: "/v1/playback?box=-57,-35,-56,-34&from=1372636858000&to=2013-07-01T12:00:00Z"},
		{Op: "playback", Who: ops, Status: 410, Path: "/v1/playback?box=-57,-35,-56,-34&from=1372636858000&to=1372636859000"},
	}, map[string]string{"429": "httpserver's tests have the limits", "503": "httpserver's tests take dependencies away"})
}
