-- +goose NO TRANSACTION
-- +goose Up

-- Booking goes on while the index is built. A build waits for every transaction that is
-- older, which holds up nobody. One that was ended leaves an index that is not valid.
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS ride.rides_by_request;
CREATE INDEX CONCURRENTLY rides_by_request ON ride.rides (requested_at);
RESET lock_timeout;

-- +goose Down
DROP INDEX CONCURRENTLY ride.rides_by_request;
