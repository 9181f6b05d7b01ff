-- +goose Up

-- The relay walks through the keys of a queue, and takes the first rows of each.
CREATE INDEX outbox_waiting ON outbox (queue, key, seq) WHERE sent_at IS NULL AND set_aside_at IS NULL;
DROP INDEX outbox_unsent, outbox_unsent_of_a_key;
