-- +goose Up

-- A commit locks its lease FOR KEY SHARE, which a renewal does not wait for. With
-- this index a new epoch is a new key, so that acquiring a lease does wait.
CREATE UNIQUE INDEX leases_epoch ON shardgroup.leases (stream_id, shard, epoch);

-- What a shard came from, so that every worker plans on what any of them listed;
-- and since when the group answers for it: no record that it wants is older.
ALTER TABLE shardgroup.leases
    ADD COLUMN parents text[], -- null: not listed since this column was added
    ADD COLUMN since   timestamptz NOT NULL DEFAULT now();

-- Which life of the stream a worker works on: only those count there.
ALTER TABLE shardgroup.workers ADD COLUMN stream_id bigint;

-- +goose Down
ALTER TABLE shardgroup.workers DROP COLUMN stream_id;
ALTER TABLE shardgroup.leases DROP COLUMN since, DROP COLUMN parents;
DROP INDEX shardgroup.leases_epoch;
