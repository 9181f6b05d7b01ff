package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"tandem/services/client"
	"tandem/services/domain/city"
	"tandem/services/domain/geo"
	"tandem/services/internal/auth"
)

const (
	riderLooksEvery = 3 * time.Second
	// riderWaits is for how long a rider waits for an offer.
	riderWaits = 30 * time.Second

	shortestTripM, longestTripM = 600, 5_000
)

// crowd books rides as the simulator's riders do, each rider one, and cancels each once
// a driver has accepted, so that the driver is soon free again.
type crowd struct {
	api     *client.API
	streets *city.City
	rng     *rand.Rand
	run     int64
	riders  int
}

func newCrowd(d demo) (*crowd, error) {
	streets, err := city.Load()
	if err != nil {
		return nil, err
	}
	return &crowd{
		api: client.New(client.Options{GatewayURL: d.Gateway, OperatorKey: d.OperatorKey}), streets: streets,
		rng: rand.New(rand.NewPCG(1, 1)), run: time.Now().UnixMilli(), //nolint:gosec // a seed: the same trips each time
	}, nil
}

// book lets riders come at random, so many a second on average, for as long as d. It
// returns when their rides have ended, with the ids of those that got 201 and how many
// got another answer. However slow the answers are, the riders come.
func (c *crowd) book(ctx context.Context, perSecond float64, d time.Duration) (rides []string, refused int, err error) {
	var mu sync.Mutex
	var riders sync.WaitGroup
	defer riders.Wait()

	began, next := time.Now(), time.Now()
	for {
		next = next.Add(time.Duration(c.rng.ExpFloat64() / perSecond * float64(time.Second)))
		if next.Sub(began) >= d {
			break
		}
		c.riders++
		rider, trip := fmt.Sprintf("bench-%d-%d", c.run, c.riders), c.trip()

		select {
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		case <-time.After(time.Until(next)):
		}
		riders.Go(func() {
			id, booked := c.ride(ctx, rider, trip)
			mu.Lock()
			defer mu.Unlock()
			if booked {
				rides = append(rides, id)
			} else {
				refused++
			}
		})
	}

	riders.Wait()
	return rides, refused, ctx.Err()
}

// trip is between two places of the city, as far apart as the simulator's.
func (c *crowd) trip() client.Booking {
	const evening = 19
	for {
		from, to := c.streets.RandomPlace(c.rng, evening), c.streets.RandomPlace(c.rng, evening)
		if m := geo.Distance(from.Point, to.Point); m > shortestTripM && m < longestTripM {
			return client.Booking{Pickup: client.Place{Point: from.Point}, Dropoff: client.Place{Point: to.Point}}
		}
	}
}

// ride is one rider's. booked reports whether the booking got 201.
func (c *crowd) ride(ctx context.Context, rider string, trip client.Booking) (id string, booked bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*riderWaits)
	defer cancel()

	session := c.api.As(auth.Rider, rider)
	r, status, err := session.Book(ctx, rider, trip)
	if err != nil || status != http.StatusCreated {
		return "", false
	}
	id = r.ID // a look that fails returns none

	look := time.NewTicker(riderLooksEvery)
	defer look.Stop()
	for until := time.Now().Add(riderWaits); !r.Terminal(); {
		select {
		case <-ctx.Done():
			return id, true
		case <-look.C:
		}

		// One who has waited in vain leaves too: the next rate must not find the ride.
		if r.AssignedAt != nil || time.Now().After(until) {
			_, _ = session.Cancel(ctx, id) // it may have ended meanwhile; the next look shows it
		}
		if now, err := session.Ride(ctx, id); err == nil {
			r = now
		}
	}
	return id, true
}
