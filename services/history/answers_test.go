package history

import (
	"testing"

	"tandem/services/internal/auth"
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

	api := apitest.Serve(t, pointstest.Signer(t), routes(s))
	d, other, ops := auth.Identity{Role: auth.Driver, Subject: "d"}, auth.Identity{Role: auth.Driver, Subject: "e"}, auth.Identity{Role: auth.Admin, Subject: "ops"}
	const span, nul = "/v1/drivers/d/points?from=1372636858000&to=2013-07-01T12:00:00Z", "/v1/drivers/a%00b"
	api.RefusesWrongInput(t, []apitest.Request{{Op: "storedPoints", Who: ops, Path: span}}, nil)
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
	}, map[string]string{"429": "httpserver's tests have the limits", "503": "httpserver's tests take dependencies away"})
}
