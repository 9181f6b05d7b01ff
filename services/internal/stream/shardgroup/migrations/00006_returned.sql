-- +goose Up

-- When the record was read again and applied after all; null: it was not.
ALTER TABLE shardgroup.dead_records ADD COLUMN returned_at timestamptz;

-- +goose Down
ALTER TABLE shardgroup.dead_records DROP COLUMN returned_at;
