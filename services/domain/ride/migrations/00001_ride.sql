-- +goose Up
CREATE TABLE ride.drivers (
    driver_id  text        PRIMARY KEY,
    on_duty    boolean     NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ride.rides (
    id              uuid        PRIMARY KEY,
    rider_id        text        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('requested', 'offered', 'assigned', 'arrived', 'picked_up',
                                                          'completed', 'cancelled', 'unfulfilled')),
    attempt         integer     NOT NULL DEFAULT 1 CHECK (attempt >= 1),
    driver_id       text,
    pickup_lat      double precision NOT NULL,
    pickup_lon      double precision NOT NULL,
    pickup_label    text        NOT NULL,
    dropoff_lat     double precision NOT NULL,
    dropoff_lon     double precision NOT NULL,
    dropoff_label   text        NOT NULL,
    distance_m      bigint      NOT NULL,
    duration_s      bigint      NOT NULL,
    price_minor     bigint      NOT NULL,
    currency        text        NOT NULL,
    idempotency_key text        NOT NULL,
    body_hash       bytea       NOT NULL,
    requested_at    timestamptz NOT NULL,
    assigned_at     timestamptz,
    arrived_at      timestamptz,
    picked_up_at    timestamptz,
    ended_at        timestamptz,
    expires_at      timestamptz NOT NULL,
    wake_at         timestamptz,
    end_reason      text        NOT NULL DEFAULT '',
    UNIQUE (rider_id, idempotency_key),
    CHECK ((driver_id IS NOT NULL) OR state NOT IN ('offered', 'assigned', 'arrived', 'picked_up', 'completed')),
    CHECK ((wake_at IS NULL) = (state IN ('completed', 'cancelled', 'unfulfilled')))
);
-- A driver has at most one live ride.
CREATE UNIQUE INDEX one_live_ride_of_a_driver ON ride.rides (driver_id) WHERE state IN ('offered', 'assigned', 'arrived', 'picked_up');
CREATE INDEX rides_to_look_at ON ride.rides (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX rides_of_a_rider ON ride.rides (rider_id, id DESC);
CREATE INDEX rides_of_a_driver ON ride.rides (driver_id, id DESC) WHERE driver_id IS NOT NULL;

CREATE TABLE ride.offers (
    id         uuid        PRIMARY KEY,
    ride_id    uuid        NOT NULL REFERENCES ride.rides ON DELETE CASCADE,
    driver_id  text        NOT NULL,
    attempt    integer     NOT NULL,
    state      text        NOT NULL CHECK (state IN ('open', 'accepted', 'refused', 'expired', 'withdrawn', 'lost')),
    made_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
-- A ride has at most one live driver.
CREATE UNIQUE INDEX one_live_driver_of_a_ride ON ride.offers (ride_id) WHERE state IN ('open', 'accepted');
CREATE INDEX offers_of_a_ride ON ride.offers (ride_id, attempt);

CREATE TABLE ride.ride_events (
    seq     bigserial   PRIMARY KEY,
    ride_id uuid        NOT NULL REFERENCES ride.rides ON DELETE CASCADE,
    kind    text        NOT NULL,
    at      timestamptz NOT NULL,
    by      text        NOT NULL,
    attempt integer     NOT NULL,
    data    jsonb       NOT NULL
);
CREATE INDEX events_of_a_ride ON ride.ride_events (ride_id, seq);

-- +goose Down
DROP TABLE ride.ride_events, ride.offers, ride.rides, ride.drivers;
