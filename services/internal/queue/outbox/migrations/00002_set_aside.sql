-- +goose Up

-- A row that SQS refuses for good is set aside: it is kept for a person to look
-- at, with its last_error, and is not tried any more.
ALTER TABLE outbox ADD COLUMN set_aside_at timestamptz;
CREATE INDEX outbox_set_aside ON outbox (set_aside_at) WHERE set_aside_at IS NOT NULL;
