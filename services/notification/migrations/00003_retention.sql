-- +goose Up
-- Deliveries leave by their age, the oldest first.
CREATE INDEX deliveries_created ON notification.deliveries (created_at);

-- +goose Down
DROP INDEX notification.deliveries_created;
