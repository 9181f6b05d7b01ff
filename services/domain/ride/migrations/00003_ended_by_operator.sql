-- +goose Up
-- An operator's words are for operators; riders and drivers are told that one acted.
ALTER TABLE ride.rides ADD COLUMN ended_by_operator boolean NOT NULL DEFAULT false;
UPDATE ride.rides r SET ended_by_operator = true FROM ride.ride_events e
WHERE e.ride_id = r.id AND e.kind IN ('ended', 'cancelled') AND e.by LIKE 'admin %';

-- +goose Down
ALTER TABLE ride.rides DROP COLUMN ended_by_operator;
