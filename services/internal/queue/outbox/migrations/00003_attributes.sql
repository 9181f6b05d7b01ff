-- +goose Up

-- The message's attributes, as {"name": "value"}; null: none, as of the rows that
-- are there already.
ALTER TABLE outbox ADD COLUMN attributes jsonb;
