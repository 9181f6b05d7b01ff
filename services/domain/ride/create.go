package ride

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/services/domain/event"
	"tandem/services/internal/telemetry"
)

// Booking is what Create makes a ride of.
type Booking struct {
	RiderID         string
	Key             string // the Idempotency-Key
	Pickup, Dropoff Place
	DistanceM       int64
	DurationS       int64
	Price           Money
	// MaxOpen is how many rides the rider may have open, this one included; 0 is any
	// number.
	MaxOpen int
}

// ErrKeyReused is returned when the key was used for another ride.
var ErrKeyReused = errors.New("ride: the key was used for another booking")

// TooManyOpenError is returned for a rider who has as many rides open as one may.
type TooManyOpenError struct {
	MaxOpen int
	// Ends is in how long the first of them should be over: one without a driver
	// expires, and one with a driver takes as long as was quoted.
	Ends time.Duration
}

func (e *TooManyOpenError) Error() string {
	return fmt.Sprintf("ride: the rider has %d rides open", e.MaxOpen)
}

// Create creates a ride and promises its request to the queue. For the same rider
// and key it returns the same ride (replayed), also for concurrent calls; another
// body under the same key is ErrKeyReused. A new ride above MaxOpen is a
// *TooManyOpenError.
func (s *Store) Create(ctx context.Context, b Booking) (r Ride, replayed bool, err error) {
	hash, err := b.hash()
	if err != nil {
		return r, false, err
	}

	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		r, replayed, err = s.create(ctx, tx, b, hash)
		return err
	})
	return r, replayed, err
}

func (s *Store) create(ctx context.Context, tx pgx.Tx, b Booking, hash []byte) (r Ride, replayed bool, err error) {
	// Bookings of one rider go one after the other, or two of them would not see each
	// other's ride when they count.
	if b.MaxOpen > 0 {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('ride.open ' || $1, 0))`, b.RiderID); err != nil {
			return r, false, fmt.Errorf("ride: create: %w", err)
		}
	}

	// A second transaction with the same key waits here until the first has
	// committed, and then finds its row.
	var id string
	err = tx.QueryRow(ctx, `INSERT INTO ride.rides (id, rider_id, state, pickup_lat, pickup_lon, pickup_label,
			dropoff_lat, dropoff_lon, dropoff_label, distance_m, duration_s, price_minor, currency,
			idempotency_key, body_hash, traceparent, requested_at, expires_at, wake_at)
		VALUES ($1, $2, 'requested', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
			clock_timestamp(), clock_timestamp() + $16, clock_timestamp() + $17)
		ON CONFLICT (rider_id, idempotency_key) DO NOTHING RETURNING id::text`,
		newID(), b.RiderID, b.Pickup.Lat, b.Pickup.Lon, b.Pickup.Label, b.Dropoff.Lat, b.Dropoff.Lon, b.Dropoff.Label,
		b.DistanceM, b.DurationS, b.Price.AmountMinor, b.Price.Currency, b.Key, hash, telemetry.Recorded(ctx),
		s.times.ExpiresAfter, event.Tries*s.times.Visibility+s.times.Margin).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		r, err = s.replay(ctx, tx, b, hash)
		return r, true, err
	}
	if err != nil {
		return r, false, fmt.Errorf("ride: create: %w", err)
	}

	// Only now: a ride that is there already is returned, however many are open.
	if err := checkOpen(ctx, tx, b); err != nil {
		return r, false, err
	}
	if r, err = getRide(ctx, tx, `SELECT `+rideColumns+fromRides+`WHERE r.id = $1`, id); err != nil {
		return r, false, err
	}

	booked(ctx, id)

	// In the same transaction: a ride without its request would be found by the
	// sweeper alone, and a request without its ride would be a dead letter.
	if err := addRequest(ctx, tx, r, 0, r.RequestedAt); err != nil {
		return r, false, err
	}
	return r, false, writeEvent(ctx, tx, r, EventRequested, "rider "+b.RiderID, map[string]any{}, "")
}

// checkOpen returns a *TooManyOpenError if the rider has more rides open than one may;
// the new one is among them.
func checkOpen(ctx context.Context, tx pgx.Tx, b Booking) error {
	if b.MaxOpen == 0 {
		return nil
	}

	var open int
	var ends time.Duration
	err := tx.QueryRow(ctx, `SELECT count(*), coalesce(min(
			CASE WHEN assigned_at IS NULL THEN expires_at
				ELSE coalesce(picked_up_at, assigned_at) + make_interval(secs => duration_s) END - clock_timestamp()), '0')
		FROM ride.rides WHERE rider_id = $1 AND wake_at IS NOT NULL`, b.RiderID).Scan(&open, &ends)
	if err != nil {
		return fmt.Errorf("ride: count open: %w", err)
	}
	if open > b.MaxOpen {
		return &TooManyOpenError{b.MaxOpen, ends}
	}
	return nil
}

// replay returns the ride that the key was used for.
func (s *Store) replay(ctx context.Context, tx pgx.Tx, b Booking, hash []byte) (Ride, error) {
	var same bool
	err := tx.QueryRow(ctx, `SELECT body_hash = $3 FROM ride.rides WHERE rider_id = $1 AND idempotency_key = $2`, b.RiderID, b.Key, hash).Scan(&same)
	if err != nil {
		return Ride{}, fmt.Errorf("ride: look up key: %w", err)
	}

	// Another body under the same key is a fault of the client; to return the
	// first ride would hide it.
	if !same {
		return Ride{}, ErrKeyReused
	}
	return getRide(ctx, tx, `SELECT `+rideColumns+fromRides+`WHERE r.rider_id = $1 AND r.idempotency_key = $2`, b.RiderID, b.Key)
}

// hash is of what the rider asked for, not of what was computed from it: a retry
// may see another price.
func (b Booking) hash() ([]byte, error) {
	raw, err := json.Marshal([]any{b.Pickup, b.Dropoff})
	if err != nil {
		return nil, fmt.Errorf("ride: hash: %w", err)
	}

	sum := sha256.Sum256(raw)
	return sum[:], nil
}
