-- +goose Up

-- The trace that the ride was booked in, as a W3C traceparent; empty: in none. Whoever
-- moves the ride later does so in this trace.
ALTER TABLE ride.rides ADD COLUMN traceparent text NOT NULL DEFAULT '';
