package feed

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"tandem/services/domain/geo"
)

// Extent is where and when what was read lies.
type Extent struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	geo.Box
	Drivers int `json:"drivers,omitempty"`
}

// extent returns nil where nothing was read.
func (r *recording) extent() *Extent {
	e := &Extent{Box: geo.Box{South: 90, West: 180, North: -90, East: -180}}
	add := func(at time.Time, p geo.Point) {
		if e.From.IsZero() {
			e.From = at // they are in order of time
		}
		e.To = at
		e.South, e.North = min(e.South, p.Lat), max(e.North, p.Lat)
		e.West, e.East = min(e.West, p.Lon), max(e.East, p.Lon)
	}

	drivers := map[int32]bool{}
	for _, x := range r.fixes {
		drivers[x.driver] = true
		add(time.UnixMilli(x.at).UTC(), x.pos)
	}
	for _, t := range r.trips {
		add(t.at, t.pickup)
		add(t.at, t.dropoff)
	}
	if e.From.IsZero() {
		return nil
	}
	e.Drivers = len(drivers)
	return e
}

// polar is a latitude beyond which nobody takes a taxi.
const polar = 70

// odd returns what about the extent looks wrong, though each point could be right.
func (e *Extent) odd() (notes []string) {
	if e == nil {
		return nil
	}
	if e.North < -polar || e.South > polar {
		notes = append(notes, fmt.Sprintf("careful: all of it lies around latitude %.1f, near a pole: are latitude and longitude swapped?", e.South))
	}
	return notes
}

func (e *Extent) String() string {
	s := fmt.Sprintf("%s to %s UTC, latitude %.4f to %.4f, longitude %.4f to %.4f",
		e.From.Format(time.DateTime), e.To.Format(time.DateTime), e.South, e.North, e.West, e.East)
	if e.Drivers > 0 {
		s += fmt.Sprintf(", %d drivers", e.Drivers)
	}
	return s
}

// mapped is the latitude beyond which the map has nothing.
const mapped = 85

// mapURL is the address of the live map, centred on the extent.
func (e *Extent) mapURL(gateway string) string {
	if e == nil {
		return ""
	}
	onMap := func(lat float64) float64 { return min(max(lat, -mapped), mapped) }
	return fmt.Sprintf("%s/?box=%.5f,%.5f,%.5f,%.5f", strings.TrimRight(gateway, "/"), e.West, onMap(e.South), e.East, onMap(e.North))
}

// unit returns what the recording consists of, and how many were read.
func (f *feeder) unit() (string, int) {
	if f.rec.kind == tripsKind {
		return "rides", f.summary.Rides
	}
	return "points", f.summary.Points
}

func (f *feeder) print() error {
	s := f.summary
	if f.cfg.JSON {
		return f.printJSON()
	}

	unit, read := f.unit()
	if _, err := fmt.Fprintf(f.out, "%s: %d lines, %d %s read, %d accepted, %d refused, in %.1f s\n",
		filepath.Base(s.File), s.Lines, read, unit, s.Accepted, len(s.Refused), s.Seconds); err != nil {
		return err
	}
	f.printExtent()

	if s.Resumed+s.ResumedRefused > 0 {
		_, _ = fmt.Fprintf(f.out, "  before: %d accepted, %d refused by Tandem\n", s.Resumed, s.ResumedRefused)
	}
	if s.Repeated > 0 {
		_, _ = fmt.Fprintf(f.out, "  %d of the accepted existed already: the same trip is the same ride\n", s.Repeated)
	}

	for _, state := range slices.Sorted(maps.Keys(s.Ended)) {
		_, _ = fmt.Fprintf(f.out, "  %d %s\n", s.Ended[state], state)
	}
	if s.Open > 0 {
		_, _ = fmt.Fprintf(f.out, "  %d had not ended yet\n", s.Open)
	}
	if s.Serving > 0 {
		_, _ = fmt.Fprintf(f.out, "  %d of feed's drivers still have a ride; feed the file again and they finish it\n", s.Serving)
	}
	f.printRefusals()
	if s.Map != "" {
		_, _ = fmt.Fprintf(f.out, "  on the map: %s\n", s.Map)
	}
	return nil
}

// shownRows is how many rows --dry-run shows as they are understood.
const shownRows = 3

// printDry says how the file is understood.
func (f *feeder) printDry() error {
	if f.cfg.JSON {
		return f.printJSON()
	}

	unit, read := f.unit()
	if _, err := fmt.Fprintf(f.out, "%s: %s; %d lines, %d %s read, %d refused. Nothing was sent.\n",
		filepath.Base(f.summary.File), f.rec.format, f.summary.Lines, read, unit, len(f.summary.Refused)); err != nil {
		return err
	}
	for _, x := range slices.Sorted(maps.Keys(f.rec.columns)) {
		_, _ = fmt.Fprintf(f.out, "  %s is column %d, %q\n", x, f.rec.columns[x]+1, f.rec.names[f.rec.columns[x]])
	}

	for _, x := range f.rec.fixes[:min(shownRows, len(f.rec.fixes))] {
		_, _ = fmt.Fprintf(f.out, "  line %d: driver %q, %s, latitude %g, longitude %g, to be %s\n",
			x.line, f.rec.drivers[x.driver], time.UnixMilli(x.at).UTC().Format(time.RFC3339Nano), x.pos.Lat, x.pos.Lon, f.driverID(f.rec.drivers[x.driver]))
	}
	for _, t := range f.rec.trips[:min(shownRows, len(f.rec.trips))] {
		_, _ = fmt.Fprintf(f.out, "  line %d: %s, from %g,%g to %g,%g\n",
			t.line, t.at.Format(time.RFC3339Nano), t.pickup.Lat, t.pickup.Lon, t.dropoff.Lat, t.dropoff.Lon)
	}
	f.printExtent()
	f.printRefusals()
	return nil
}

func (f *feeder) printJSON() error {
	enc := json.NewEncoder(f.out)
	enc.SetIndent("", "  ")
	return enc.Encode(f.summary)
}

func (f *feeder) printExtent() {
	if e := f.summary.Extent; e != nil {
		_, _ = fmt.Fprintf(f.out, "  %s\n", e)
	}
	if n := f.summary.Outside; n > 0 {
		_, _ = fmt.Fprintf(f.out, "  %d lie outside of --from and --to\n", n)
	}
	for _, note := range f.summary.Notes {
		_, _ = fmt.Fprintf(f.out, "  %s\n", note)
	}
}

// printRefusals names each kind of refusal once, the most frequent first.
func (f *feeder) printRefusals() {
	for _, g := range grouped(f.summary.Refused) {
		_, _ = fmt.Fprintf(f.out, "  %d refused: %s (line %s)\n", g.count, g.first.Reason, g.lines())
	}
}

// group is refusals that differ only in what they quote and count.
type group struct {
	count int
	first Refusal
	at    []int // the first lines
}

const (
	shownGroups = 20
	shownLines  = 5
)

var particulars = regexp.MustCompile(`"[^"]*"|[-+0-9.]*[0-9]`)

func grouped(refused []Refusal) []*group {
	byKind := map[string]*group{}
	var all []*group
	for _, r := range refused {
		kind := particulars.ReplaceAllString(r.Reason, "#")
		g := byKind[kind]
		if g == nil {
			g = &group{first: r}
			byKind[kind] = g
			all = append(all, g)
		}
		g.count++
		if len(g.at) < shownLines {
			g.at = append(g.at, r.Line)
		}
	}
	slices.SortStableFunc(all, func(a, b *group) int { return b.count - a.count })
	return all[:min(len(all), shownGroups)]
}

func (g *group) lines() string {
	s := strings.Trim(strings.ReplaceAll(fmt.Sprint(g.at), " ", ", "), "[]")
	if g.count > len(g.at) {
		s += ", …"
	}
	return s
}

func limited(n, limit int) int {
	if limit <= 0 {
		return n
	}
	return min(n, limit)
}
