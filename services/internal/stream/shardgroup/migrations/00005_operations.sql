-- +goose Up

-- What a person asked for, and what a person should see.
ALTER TABLE shardgroup.leases
    ADD COLUMN paused_at        timestamptz, -- nobody reads the shard while this is set
    ADD COLUMN failing          text,        -- why the shard stood still at the last renewal; null: it did not
    ADD COLUMN failing_sequence text,        -- of the record that failed alone; null: not known
    ADD COLUMN failing_sub      integer;

-- Where reading begins while sequence is empty; null: where the group begins.
ALTER TABLE shardgroup.checkpoints ADD COLUMN start_at timestamptz;

-- When a person decided that the record needs nobody's attention any more.
ALTER TABLE shardgroup.dead_records ADD COLUMN skipped_at timestamptz;

-- +goose Down
ALTER TABLE shardgroup.dead_records DROP COLUMN skipped_at;
ALTER TABLE shardgroup.checkpoints DROP COLUMN start_at;
ALTER TABLE shardgroup.leases DROP COLUMN failing_sub, DROP COLUMN failing_sequence, DROP COLUMN failing, DROP COLUMN paused_at;
