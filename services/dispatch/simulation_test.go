package dispatch

import (
	"cmp"
	"container/heap"
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/geo"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
)

// TestOneRuleForRidesAndDriversServesMore drives cars through a simulated city whose
// riders ask for more than there are: once with workers that think of their own ride
// alone, and with the rule of proposals. With TANDEM_TRIPS it simulates recorded trips
// (columns pickup_time, dropoff_time, pickup_lat, pickup_lon, dropoff_lat, dropoff_lon)
// and prints a table:
//
//	TANDEM_TRIPS=trips.csv go test -v -run OneRule ./services/dispatch
func TestOneRuleForRidesAndDriversServesMore(t *testing.T) {
	t.Parallel()
	if file := os.Getenv("TANDEM_TRIPS"); file != "" {
		trips, err := recorded(file)
		require.NoError(t, err)
		for _, cars := range []int{400, 600, 800, 1000} {
			for _, contending := range []int{0, 5, 20} {
				t.Logf("| %d | %d | %s |", cars, contending, simulate(trips, cars, contending))
			}
		}
		return
	}

	trips := synthetic(1500)
	own, rule := simulate(trips, 100, 0), simulate(trips, 100, maxContending)
	t.Logf("own ride alone: %s; one rule: %s", own, rule)
	require.Greater(t, float64(rule.served), 1.05*float64(own.served))
	require.Less(t, rule.mean, own.mean)
	require.Less(t, rule.p95, own.p95)

	many := simulate(trips, 400, maxContending)
	require.InDelta(t, float64(simulate(trips, 400, 0).mean), float64(many.mean), 0.02*float64(many.mean), "with cars enough it changes nothing")
}

type trip struct {
	ride    ride.Ride
	dropoff geo.Point
	takes   time.Duration
}

// outcome is what became of a day's rides.
type outcome struct {
	trips, served int
	mean, p95     time.Duration // until the pick-up
	drive         time.Duration // the mean of what of it was the drive
}

func (o outcome) String() string {
	return fmt.Sprintf("%.1f %% | %.0f s | %.0f s | %.0f s", 100*float64(o.served)/float64(o.trips), o.mean.Seconds(), o.p95.Seconds(), o.drive.Seconds())
}

// street makes a way by air one along streets, and mps is how fast cars drive there.
const street, mps = 1.3, 7

func drive(a, b geo.Point) time.Duration {
	return time.Duration(geo.Distance(a, b) * street / mps * float64(time.Second))
}

// simulation is a city of cars, and rides that ask again every noDriver.
type simulation struct {
	trips []trip
	cars  []geo.Point
	free  []bool
	taken []bool // by trip
	again []bool // by trip: it was looked at, and found nobody
	next  events
	out   []time.Duration
	drove time.Duration
}

// happening is a request that is looked at, or a car that becomes free.
type happening struct {
	at   time.Time
	trip int // -1: none
	car  int
}

type events []happening

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(happening)) } //nolint:forcetypeassert // heap's
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func simulate(trips []trip, cars, contending int) outcome {
	r := rand.New(rand.NewPCG(1, uint64(cars)))
	s := &simulation{trips: trips, cars: make([]geo.Point, cars), free: make([]bool, cars), taken: make([]bool, len(trips)), again: make([]bool, len(trips))}
	for i := range s.cars {
		s.cars[i], s.free[i] = trips[r.IntN(len(trips))].dropoff, true
	}
	for i, t := range trips {
		heap.Push(&s.next, happening{at: t.ride.RequestedAt, trip: i, car: -1})
	}

	for len(s.next) > 0 {
		e := heap.Pop(&s.next).(happening) //nolint:forcetypeassert // see Push
		if e.trip < 0 {
			s.free[e.car] = true
			continue
		}
		s.look(e.at, e.trip, contending)
		if !s.taken[e.trip] && e.at.Sub(trips[e.trip].ride.RequestedAt) < profile.Default().ExpiresAfter {
			s.again[e.trip] = true
			heap.Push(&s.next, happening{at: e.at.Add(profile.Default().NoDriverDelay + time.Duration(r.IntN(1000))*time.Millisecond), trip: e.trip, car: -1})
		}
	}

	slices.Sort(s.out)
	o := outcome{trips: len(trips), served: len(s.out), p95: s.out[len(s.out)*95/100], drive: s.drove / time.Duration(len(s.out))}
	for _, w := range s.out {
		o.mean += w / time.Duration(len(s.out))
	}
	return o
}

// look is what a worker does that has received the request of trip i. Every offer is
// accepted at once.
func (s *simulation) look(now time.Time, i, contending int) {
	if s.taken[i] {
		return
	}
	drivers := s.near(s.trips[i].ride.Pickup.Point)
	asks := []ask{{ride: s.trips[i].ride, drivers: s.times(s.trips[i].ride.Pickup.Point, drivers)}}
	if len(drivers) > 0 {
		for _, j := range s.waiting(now, i, contending) {
			asks = append(asks, ask{ride: s.trips[j].ride, drivers: s.times(s.trips[j].ride.Pickup.Point, drivers)})
		}
	}

	for _, p := range proposals(now, asks) {
		j, _ := strconv.Atoi(p.ride.ID)
		car, _ := strconv.Atoi(p.driver)
		if s.taken[j] || !s.free[car] {
			continue
		}
		way := drive(s.cars[car], s.trips[j].ride.Pickup.Point)
		s.taken[j], s.free[car], s.cars[car] = true, false, s.trips[j].dropoff
		s.drove += way
		s.out = append(s.out, now.Sub(p.ride.RequestedAt)+way)
		heap.Push(&s.next, happening{at: now.Add(way + s.trips[j].takes), trip: -1, car: car})
		if j == i {
			return
		}
	}
}

// near are the free cars within reach, the nearest 40.
func (s *simulation) near(p geo.Point) (out []candidate) {
	for c, at := range s.cars {
		if s.free[c] && geo.Distance(at, p) <= searchWithin {
			out = append(out, candidate{ID: strconv.Itoa(c), Point: at})
		}
	}
	out = s.times(p, out)
	return out[:min(len(out), searchFirst)]
}

func (s *simulation) times(p geo.Point, drivers []candidate) []candidate {
	var out []candidate
	for _, d := range drivers {
		if geo.Distance(d.Point, p) <= searchWithin {
			d.away = drive(d.Point, p)
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b candidate) int { return cmp.Compare(a.away, b.away) })
	return out
}

// waiting are the rides that contend with trip i, as ride.Store's Waiting returns them.
func (s *simulation) waiting(now time.Time, i, most int) (out []int) {
	for j := range i { // in the order of their requests
		r := s.trips[j].ride
		if len(out) < most && s.again[j] && !s.taken[j] && now.Sub(r.RequestedAt) < profile.Default().ExpiresAfter &&
			geo.Distance(r.Pickup.Point, s.trips[i].ride.Pickup.Point) <= searchWithin {
			out = append(out, j)
		}
	}
	return out
}

// synthetic returns n trips of three hours between a centre, where most begin, and a
// city around it.
func synthetic(n int) []trip {
	r := rand.New(rand.NewPCG(7, 7))
	place := func(spread float64) geo.Point {
		return geo.Point{Lat: -34.9 + r.NormFloat64()*spread, Lon: -56.17 + r.NormFloat64()*spread}
	}
	var at []time.Duration
	for range n {
		at = append(at, time.Duration(r.Int64N(int64(3*time.Hour))))
	}
	slices.Sort(at)

	out := make([]trip, n)
	for i := range out {
		from, to := place(0.02), place(0.03)
		if r.IntN(4) == 0 {
			from, to = to, from
		}
		out[i] = newTrip(i, time.Unix(0, 0).Add(at[i]), from, to, drive(from, to)+2*time.Minute)
	}
	return out
}

func newTrip(i int, at time.Time, from, to geo.Point, takes time.Duration) trip {
	return trip{ride.Ride{ID: strconv.Itoa(i), RequestedAt: at, Pickup: ride.Place{Point: from}}, to, takes}
}

// recorded reads trips from a file, in the order of their requests.
func recorded(file string) ([]trip, error) {
	f, err := os.Open(file) //nolint:gosec // whoever runs the test names it
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 {
		return nil, errors.Join(err, fmt.Errorf("%s: no trips", file))
	}

	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	var out []trip
	for _, row := range rows[1:] {
		number := func(name string) float64 { v, _ := strconv.ParseFloat(row[column[name]], 64); return v }
		at, err := time.Parse(time.DateTime, row[column["pickup_time"]])
		end, endErr := time.Parse(time.DateTime, row[column["dropoff_time"]])
		takes := end.Sub(at)
		if err != nil || endErr != nil || number("pickup_lat") == 0 || number("dropoff_lat") == 0 || takes < 30*time.Second || takes > 2*time.Hour {
			continue
		}
		out = append(out, newTrip(0, at, geo.Point{Lat: number("pickup_lat"), Lon: number("pickup_lon")}, geo.Point{Lat: number("dropoff_lat"), Lon: number("dropoff_lon")}, takes))
	}
	slices.SortStableFunc(out, func(a, b trip) int { return a.ride.RequestedAt.Compare(b.ride.RequestedAt) })
	for i := range out {
		out[i].ride.ID = strconv.Itoa(i)
	}
	return out, nil
}
