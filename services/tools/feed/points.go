package feed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/errgroup"

	"tandem/services/client"
	"tandem/services/domain/event"
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
	fixes := f.rec.fixes
	done := min(f.state.Done, len(fixes))
	heads := newHeadings(fixes[:done])

	began := time.Now()
	for done < len(fixes) {
		end := min(done+span, len(fixes))
		if f.cfg.Speedup > 0 {
			var err error
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
		f.state.Done = done
		if err := f.saveState(f.state); err != nil {
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
	byDriver := map[int32][]client.Point{}
	lines := map[int32][]int{}
	for _, x := range fixes {
		byDriver[x.driver] = append(byDriver[x.driver], heads.point(x))
		lines[x.driver] = append(lines[x.driver], int(x.line))
	}

	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for driver, points := range byDriver {
		g.Go(func() error { return f.sendDriver(gctx, f.rec.drivers[driver], points, lines[driver]) })
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
		entry := client.NewPointsEntry(session.Subject(), batch, answer)
		if err := f.promise(client.Entry{Kind: client.KindPoints, Points: &entry}); err != nil {
			return err
		}
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
		f.waits(err)
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

	f.mu.Lock()
	defer f.mu.Unlock()
	if len(points) > 0 {
		f.waiting = ""
	}
	for i, p := range points {
		if r, no := refused[p.Seq]; no {
			f.state.Refused++
			f.summary.Refused = append(f.summary.Refused, Refusal{lines[i], driver, fmt.Sprintf("%s: %s", r.Field, r.Detail)})
			continue
		}
		f.state.Accepted++
		f.summary.Accepted++
		f.state.Witness = witness{Driver: f.driverID(driver), Seq: p.Seq}
	}
}

// Of an id of 64 characters, the file's hash and a dash take 11.
const (
	keptID   = 50
	hashedID = 40 // with a dash and a hash behind it
)

// driverID returns the file's hash and the recorded id: the same each time, and no
// other file's. An id that Tandem cannot have as it is gets a hash of the whole of
// it: two that differ only in what was replaced or cut stay two.
func (f *feeder) driverID(recorded string) string {
	clean := strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && event.ValidID(string(r)) {
			return r
		}
		return '_'
	}, recorded)

	if clean != recorded || len(clean) > keptID {
		sum := sha256.Sum256([]byte(recorded))
		clean = clean[:min(len(clean), hashedID)] + "-" + hex.EncodeToString(sum[:4])
	}
	return f.rec.hash + "-" + clean
}

// whyNotAfter returns why x cannot follow before; "": it can. The second rule is
// location's for the points of a batch, kept from one batch to the next.
func whyNotAfter(before, x fix) string {
	if before.at == x.at {
		return fmt.Sprintf("another point of this driver has the same time (line %d)", before.line)
	}
	metres := geo.Distance(before.pos, x.pos)
	seconds := float64(x.at-before.at) / 1000
	if metres <= maxSpeed*max(seconds, 1) {
		return ""
	}
	return fmt.Sprintf("it lies %.0f m from the point before (line %d), %.1f s later: the receiver jumped", metres, before.line, seconds)
}

// headings works out speed and heading, which are not read from recordings, from a
// driver's point before. What does not follow from it stays unknown.
type headings map[int32]fix

func newHeadings(sent []fix) headings {
	h := headings{}
	for _, x := range sent {
		h[x.driver] = x
	}
	return h
}

const (
	maxSpeed = 100.0            // metres a second; more is a jump of the receiver, which location refuses too
	fresh    = 60 * time.Second // a point before that is older says nothing
)

func (h headings) point(x fix) client.Point {
	p := client.Point{Seq: x.at, At: x.at, Lat: x.pos.Lat, Lon: x.pos.Lon}
	before, ok := h[x.driver]
	dt := float64(x.at-before.at) / 1000
	if ok && dt > 0 && dt <= fresh.Seconds() {
		// Within a second receivers jitter: what no car can drive is not known, and not
		// the most that a car can.
		d := geo.Distance(before.pos, x.pos)
		if d/dt <= maxSpeed {
			p.Speed = new(math.Round(d/dt*10) / 10)
		}
		// A car that stands points somewhere, but the jitter of its fixes does not tell where.
		if p.Speed != nil && d > 1 {
			p.Heading = new(math.Mod(math.Round(geo.Bearing(before.pos, x.pos)*10)/10, 360))
		}
	}
	h[x.driver] = x
	return p
}
