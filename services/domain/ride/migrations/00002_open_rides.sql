-- +goose Up
-- A booking counts the rider's open rides.
CREATE INDEX open_rides_of_a_rider ON ride.rides (rider_id) WHERE wake_at IS NOT NULL;

-- +goose Down
DROP INDEX ride.open_rides_of_a_rider;
