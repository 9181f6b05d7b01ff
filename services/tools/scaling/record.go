package scaling

import (
	"context"
	"time"
)

// Record looks at a running Tandem for the time length, or until ctx ends, and returns
// what it saw. A look without an answer is a Point that is not Known; where the first
// has none, that is an error.
func Record(ctx context.Context, live Live, length time.Duration) ([]Point, error) {
	l := newLooker(live.GatewayURL, live.OperatorKey)
	tick := time.NewTicker(live.Every)
	defer tick.Stop()

	var out []Point
	for began := time.Now(); time.Since(began) < length; {
		look, err := l.look(ctx)
		if ctx.Err() != nil {
			return out, nil
		}
		if err != nil && len(out) == 0 {
			return nil, err // it was not reached at all: a wrong address perhaps
		}

		p := Point{At: time.Since(began), Workers: look.Workers}
		if err != nil {
			p.Workers = out[len(out)-1].Workers
		}
		if q := look.Queue; q != nil {
			p.Known, p.Waiting, p.InFlight, p.Oldest = true, q.Visible, q.InFlight, q.Oldest
		}
		out = append(out, p)

		select {
		case <-ctx.Done():
			return out, nil
		case <-tick.C:
		}
	}
	return out, nil
}
