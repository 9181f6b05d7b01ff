-- +goose Up
-- Ended rides leave by their age, the oldest first.
CREATE INDEX ended_rides ON ride.rides (ended_at) WHERE wake_at IS NULL;

-- +goose Down
DROP INDEX ride.ended_rides;
