package location

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tandem/services/internal/auth"
	"tandem/services/test/apitest"
)

// counting acknowledges everything, and counts it.
type counting struct{ points int }

func (c *counting) Put(_ context.Context, _ string, data ...[]byte) (int, error) {
	c.points += len(data)
	return len(data), nil
}

// TestTheDescribedAnswersHappen provokes what docs/openapi.yaml says of the service's
// route.
func TestTheDescribedAnswersHappen(t *testing.T) {
	t.Parallel()
	signer, stream := testSigner(t), &counting{}
	s := &service{stream: stream, putWithin: time.Second, now: time.Now, memory: newMemory(), stats: newStats()}
	api := apitest.Serve(t, signer, s.routes())
	dan, feed := auth.Identity{Role: auth.Driver, Subject: "dan"}, auth.Identity{Role: auth.Importer, Subject: "feed"}
	at := time.Now().UnixMilli()
	good := fmt.Sprintf(`{"driver_id":"dan","points":[{"seq":%d,"at":%d,"lat":-34.9,"lon":-56.1,"speed":8.4,"heading":271.5,"accuracy":5}]}`, at, at)
	bad := fmt.Sprintf(`{"points":[{"seq":%d,"at":%d,"lat":91,"lon":-56.1}]}`, at, at)

	api.RefusesWrongInput(t, []apitest.Request{{Op: "sendPoints", Who: feed, Body: good}}, func() any { return stream.points })
	api.Provoke(t, []apitest.Request{
		{Op: "sendPoints", Who: dan, Status: 202, Body: good},
		{Op: "sendPoints", Who: dan, Status: 400, Body: bad},
		{Op: "sendPoints", Who: feed, Status: 400, Body: bad}, // it names no driver
		{Op: "sendPoints", Who: auth.Identity{Role: auth.Driver, Subject: "bo"}, Status: 403, Body: good},
		{Op: "sendPoints", Who: dan, Status: 415, Body: good, Header: []string{"Content-Encoding", "br"}},
		{Op: "sendPoints", Who: feed, Status: 503, Body: good, Before: func(*apitest.Request) { s.stream = stalled{} }},
	}, map[string]string{"429": "httpserver's tests have the limits"})
}
