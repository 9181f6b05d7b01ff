package feed

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/errgroup"

	"tandem/services/client"
	"tandem/services/domain/geo"
)

const (
	// span is how many points, in time order, are sent before the next are
	// looked at; progress is kept after each.
	span = 10_000
	// tick is how often points that have become due are sent with --speedup.
	tick = 200 * time.Millisecond
	// parallel is how many drivers' batches are in flight.
	parallel = 16
)

// feedPoints sends every fix in time order, each driver's one batch at a time.
func (f *feeder) feedPoints(ctx context.Context) error {
	done, err := f.resumeAt()
	if err != nil {
		return err
	}
	fixes := f.rec.fixes
	done = min(done, len(fixes))
	heads := newHeadings(fixes[:done])

	began := time.Now()
	for done < len(fixes) {
		end := min(done+span, len(fixes))
		if f.cfg.Speedup > 0 {
			if end, err = f.due(ctx, fixes, done, began); err != nil {
				return err
			}
		}

		// What was sent is noted after it was settled: a feed that resumes sends again
		// what it does not know of, and a repeat is stored once.
		if err := f.sendSpan(ctx, fixes[done:end], heads); err != nil {
			return err
		}
		done = end
		if err := f.saveState(done); err != nil {
			return err
		}
	}
	return nil
}

// due waits until the next fix is due and returns the end of all that are.
func (f *feeder) due(ctx context.Context, fixes []fix, from int, began time.Time) (end int, err error) {
	recorded := func(i int) time.Duration {
		return time.Duration(float64(fixes[i].at-fixes[0].at) / f.cfg.Speedup * float64(time.Millisecond))
	}
	select {
	case <-ctx.Done():
		return from, ctx.Err()
	case <-time.After(max(tick, recorded(from)-time.Since(began))):
	}

	for end = from + 1; end < min(from+span, len(fixes)) && recorded(end) <= time.Since(began); end++ {
	}
	return end, nil
}

// sendSpan sends a stretch of time: drivers side by side, each in order.
func (f *feeder) sendSpan(ctx context.Context, fixes []fix, heads headings) error {
	byDriver := map[string][]client.Point{}
	lines := map[string][]int{}
	for _, x := range fixes {
		byDriver[x.driver] = append(byDriver[x.driver], heads.point(x))
		lines[x.driver] = append(lines[x.driver], x.line)
	}

	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for driver, points := range byDriver {
		g.Go(func() error { return f.sendDriver(gctx, driver, points, lines[driver]) })
	}
	return g.Wait()
}

// sendDriver sends one driver's points until each is durable or refused.
func (f *feeder) sendDriver(ctx context.Context, driver string, points []client.Point, lines []int) error {
	session := f.importer.For(f.driverID(driver))
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 100*time.Millisecond, 3*time.Second

	// One batch at a time: a driver's points must reach the stream in order.
	for len(points) > 0 {
		batch := points[:min(len(points), client.MaxBatch)]
		answer, err := session.SendPoints(ctx, batch)
		all := err == nil || answer.Status == http.StatusBadRequest
		if !all && !client.Temporary(err) {
			return fmt.Errorf("feed: points of driver %s (line %d): %w", driver, lines[0], err)
		}

		// Only what the answer accepted or refused by name is not sent again.
		n := len(batch)
		if !all {
			for n = 0; n < len(batch) && batch[n].Seq <= answer.AcceptedThrough; n++ {
			}
		}
		f.settle(driver, batch[:n], lines[:n], answer)
		points, lines = points[n:], lines[n:]

		if all || n > 0 {
			pause.Reset()
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause.NextBackOff()):
		}
	}
	return nil
}

// settle counts points that will not be sent again.
func (f *feeder) settle(driver string, points []client.Point, lines []int, answer client.PointsAnswer) {
	refused := map[int64]client.Refused{}
	for _, r := range answer.Refused {
		refused[r.Seq] = r
	}

	accepted := 0
	for i, p := range points {
		if r, no := refused[p.Seq]; no {
			f.refuse(lines[i], driver, fmt.Sprintf("%s: %s", r.Field, r.Detail))
			continue
		}
		accepted++
	}
	f.count(func(s *Summary) { s.Accepted += accepted })
}

// driverID returns the file's hash and the recorded id: the same each time, and no
// other file's.
func (f *feeder) driverID(recorded string) string {
	clean := []rune(recorded)
	for i, r := range clean {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			clean[i] = '_'
		}
	}
	return f.rec.hash + "-" + string(clean[:min(len(clean), 50)])
}

// headings works out speed and heading, which recordings do not have, from a
// driver's point before.
type headings map[string]fix

func newHeadings(sent []fix) headings {
	h := headings{}
	for _, x := range sent {
		h[x.driver] = x
	}
	return h
}

const (
	maxSpeed = 60.0             // metres a second; more is a jump of the receiver
	fresh    = 60 * time.Second // a point before that is older says nothing
)

func (h headings) point(x fix) client.Point {
	p := client.Point{Seq: x.at, At: x.at, Lat: x.pos.Lat, Lon: x.pos.Lon, Accuracy: 10}
	before, ok := h[x.driver]
	dt := float64(x.at-before.at) / 1000
	if ok && dt > 0 && dt <= fresh.Seconds() {
		if d := geo.Distance(before.pos, x.pos); d > 1 {
			p.Speed = math.Round(min(d/dt, maxSpeed)*10) / 10
			p.Heading = math.Mod(math.Round(geo.Bearing(before.pos, x.pos)*10)/10, 360)
		}
	}
	h[x.driver] = x
	return p
}
