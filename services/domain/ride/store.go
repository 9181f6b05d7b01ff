package ride

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"

	"tandem/services/domain/profile"
)

// Store reads and moves rides. It is safe for concurrent use.
type Store struct {
	pool   *pgxpool.Pool
	times  profile.Profile
	traces trace.TracerProvider // of acts without a span in ctx; nil: none
}

// NewStore returns a store on a pool whose database has Schemas.
func NewStore(pool *pgxpool.Pool, times profile.Profile) *Store {
	return &Store{pool: pool, times: times}
}

// Traced returns a Store that makes a span also of an act that nobody asked for, as the
// sweeper's are. Without a provider it is s.
func (s *Store) Traced(provider trace.TracerProvider) *Store {
	out := *s
	out.traces = provider
	return &out
}

// rideColumns are what scanRide reads: the ride and its open offer.
const rideColumns = `r.id, r.state, r.attempt, r.rider_id, coalesce(r.driver_id, ''),
	r.pickup_lat, r.pickup_lon, r.pickup_label, r.dropoff_lat, r.dropoff_lon, r.dropoff_label,
	r.distance_m, r.duration_s, r.price_minor, r.currency,
	r.requested_at, r.assigned_at, r.arrived_at, r.picked_up_at, r.ended_at, r.expires_at, r.wake_at, r.end_reason, r.ended_by_operator, r.traceparent,
	o.id, o.driver_id, o.expires_at`

const fromRides = ` FROM ride.rides r LEFT JOIN ride.offers o ON o.ride_id = r.id AND o.state = 'open' `

func scanRide(row pgx.Row) (Ride, error) {
	var r Ride
	var offerID, offerDriver *string
	var offerExpires *time.Time

	err := row.Scan(&r.ID, &r.State, &r.Attempt, &r.RiderID, &r.DriverID,
		&r.Pickup.Lat, &r.Pickup.Lon, &r.Pickup.Label, &r.Dropoff.Lat, &r.Dropoff.Lon, &r.Dropoff.Label,
		&r.DistanceM, &r.DurationS, &r.Price.AmountMinor, &r.Price.Currency,
		&r.RequestedAt, &r.AssignedAt, &r.ArrivedAt, &r.PickedUpAt, &r.EndedAt, &r.ExpiresAt, &r.wakeAt, &r.EndReason, &r.EndedByOperator, &r.traceparent,
		&offerID, &offerDriver, &offerExpires)
	if err != nil {
		return r, err
	}

	if offerID != nil {
		r.Offer = &Offer{ID: *offerID, DriverID: *offerDriver, ExpiresAt: *offerExpires}
	}

	r.Vehicle = VehicleOf(r.DriverID)
	return r, nil
}

// Get returns a ride, or ErrNotFound.
func (s *Store) Get(ctx context.Context, id string) (Ride, error) {
	return getRide(ctx, s.pool, `SELECT `+rideColumns+fromRides+`WHERE r.id = $1`, id)
}

type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func getRide(ctx context.Context, q querier, sql string, args ...any) (Ride, error) {
	r, err := scanRide(q.QueryRow(ctx, sql, args...))
	if errors.Is(err, pgx.ErrNoRows) || isCode(err, "22P02") { // the id is not a UUID, so no ride has it
		return r, ErrNotFound
	}
	if err != nil {
		return r, fmt.Errorf("ride: read: %w", err)
	}
	return r, nil
}

// Filter chooses rides for List; empty fields choose all.
type Filter struct {
	State         State
	Rider, Driver string
	After         string // an id of the page before: older ones follow
	Limit         int    // 1 to 200; anything else: 50
}

// List returns rides, newest first.
func (s *Store) List(ctx context.Context, f Filter) ([]Ride, error) {
	if f.Limit < 1 || f.Limit > 200 {
		f.Limit = 50
	}

	// The id is a UUID of version 7, which begins with the time: its order is the
	// order of creation.
	rows, err := s.pool.Query(ctx, `SELECT `+rideColumns+fromRides+`
		WHERE ($1 = '' OR r.state = $1) AND ($2 = '' OR r.rider_id = $2) AND ($3 = '' OR r.driver_id = $3)
			AND ($4 = '' OR r.id < nullif($4, '')::uuid)
		ORDER BY r.id DESC LIMIT $5`, string(f.State), f.Rider, f.Driver, f.After, f.Limit)
	if err != nil {
		return nil, fmt.Errorf("ride: list: %w", err)
	}

	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Ride, error) { return scanRide(row) })
	if err != nil {
		return nil, fmt.Errorf("ride: list: %w", err)
	}
	return out, nil
}

// Events returns a ride's events after seq, in order, at most limit.
func (s *Store) Events(ctx context.Context, rideID string, after int64, limit int) ([]Event, error) {
	rows, err := s.pool.Query(ctx, `SELECT seq, ride_id::text, kind, at, by, attempt, data FROM ride.ride_events
		WHERE ride_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`, rideID, after, limit)
	if err != nil {
		return nil, fmt.Errorf("ride: events: %w", err)
	}

	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Event])
	if err != nil {
		return nil, fmt.Errorf("ride: events: %w", err)
	}
	return out, nil
}

// Counts is what the console shows of all rides.
type Counts struct {
	At           time.Time      `json:"at"`
	PerMinute    float64        `json:"per_minute"` // requested in the last minute
	ByState      map[string]int `json:"by_state"`
	OutboxUnsent int            `json:"outbox_unsent"`
	// OutboxOldestS is for how long the oldest unsent message has waited.
	OutboxOldestS  float64 `json:"outbox_oldest_s"`
	OutboxSetAside int     `json:"outbox_set_aside"` // SQS refuses them for good: a person must look
	// OldestWaiting is since when a worker could have taken the oldest request that none
	// has received; nil: no request waits.
	OldestWaiting *time.Time `json:"oldest_waiting"`
}

// Counts counts rides by state.
func (s *Store) Counts(ctx context.Context) (Counts, error) {
	c := Counts{At: time.Now().UTC(), ByState: map[string]int{}}

	rows, err := s.pool.Query(ctx, `SELECT state, count(*) FROM ride.rides GROUP BY state`)
	if err != nil {
		return c, fmt.Errorf("ride: count: %w", err)
	}

	var state string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&state, &n}, func() error { c.ByState[state] = n; return nil }); err != nil {
		return c, fmt.Errorf("ride: count: %w", err)
	}

	// The newest events alone: the console asks often, and the table has no index
	// on the time.
	err = s.pool.QueryRow(ctx, `SELECT count(*) FROM ride.ride_events WHERE kind = 'requested' AND at > now() - interval '1 minute'
		AND seq > (SELECT coalesce(max(seq), 0) - 20000 FROM ride.ride_events)`).Scan(&c.PerMinute)
	if err != nil {
		return c, fmt.Errorf("ride: count: %w", err)
	}

	if c.OldestWaiting, err = s.oldestWaiting(ctx); err != nil {
		return c, err
	}

	o, err := Outbox().Stats(ctx, s.pool)
	c.OutboxUnsent, c.OutboxOldestS, c.OutboxSetAside = o.Unsent, o.Oldest.Seconds(), o.SetAside
	return c, err
}

func isCode(err error, code string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == code
}

// isUnique reports whether err is a violation of the named unique index.
func isUnique(err error, index string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505" && pg.ConstraintName == index
}
