package ride

import (
	"context"
	"fmt"
	"time"
)

// Earnings is what a driver's completed rides of today come to.
type Earnings struct {
	At    time.Time `json:"at"`    // by the database's clock
	Since time.Time `json:"since"` // when the city's day began
	Rides int       `json:"rides"`
	Total Money     `json:"total"`
}

// cityZone and cityCurrency are the city's: a phone's clock may be wrong by a day.
const (
	cityZone     = "America/Montevideo"
	cityCurrency = "UYU"
)

// Earnings adds up the fares of the rides that the driver has completed today.
func (s *Store) Earnings(ctx context.Context, driver string) (Earnings, error) {
	e := Earnings{Total: Money{Currency: cityCurrency}}
	err := s.pool.QueryRow(ctx, `SELECT today.at, today.since, count(r.id), coalesce(sum(r.price_minor), 0)::bigint
		FROM (SELECT now() AS at, date_trunc('day', now(), $2) AS since) today
		LEFT JOIN ride.rides r ON r.driver_id = $1 AND r.state = 'completed' AND r.ended_at >= today.since AND r.currency = $3
		GROUP BY today.at, today.since`, driver, cityZone, cityCurrency).
		Scan(&e.At, &e.Since, &e.Rides, &e.Total.AmountMinor)
	if err != nil {
		return e, fmt.Errorf("ride: earnings: %w", err)
	}
	return e, nil
}
