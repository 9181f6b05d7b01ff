package console

import (
	"context"
	"net/http"

	"tandem/services/domain/points"
	"tandem/services/internal/httpclient"
)

// arrivals returns what lately arrived on the stream, as that live reader tells it
// which has read furthest; empty where none has ever answered. Two are asked, so that
// the page of the stream does not go blind with one reader.
func (g *gatherer) arrivals(ctx context.Context) points.Arrivals {
	g.mu.Lock()
	live := g.live
	g.mu.Unlock()

	var asked []<-chan struct{}
	for _, p := range live {
		asked = append(asked, p.arrivals.begin(ctx))
	}
	await(asked)

	best := points.Arrivals{BinMS: points.BinLength.Milliseconds(), Shards: []points.ShardArrivals{}}
	for _, p := range live {
		if a, heard, _ := p.arrivals.look(g.now()); !heard.IsZero() && readThrough(a) > readThrough(best) {
			best = a
		}
	}
	return best
}

// readThrough is until when every shard has been read; 0: not known.
func readThrough(a points.Arrivals) int64 {
	if len(a.Shards) == 0 {
		return 0
	}
	least := a.Shards[0].Through
	for _, s := range a.Shards {
		least = min(least, s.Through)
	}
	return least
}

// askArrivals asks a live reader.
func (p *peer) askArrivals(ctx context.Context) (a points.Arrivals, err error) {
	_, err = p.client.Once(ctx, httpclient.Request{Method: http.MethodGet, Path: "/v1/arrivals", Out: &a})
	return a, err
}

// readsLive reports whether a service is a live reader, which sees a point as soon as
// it is there.
func readsLive(kind string) bool { return kind == "nearby" || kind == "mapfeed" }
