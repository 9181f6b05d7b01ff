-- +goose Up

-- One row for each life of a stream that a generation of a group reads: a
-- recreated stream has the same ARN and another creation time.
CREATE TABLE shardgroup.streams (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_name  text        NOT NULL,
    generation  integer     NOT NULL,
    arn         text        NOT NULL,
    created_at  timestamptz NOT NULL, -- the stream's creation, not the row's
    start_at    timestamptz,          -- what LATEST was resolved to; null: the oldest record kept
    UNIQUE (group_name, generation, arn, created_at)
);

CREATE TABLE shardgroup.leases (
    stream_id    bigint      NOT NULL REFERENCES shardgroup.streams,
    shard        text        NOT NULL,
    owner        text,                 -- null: nobody's
    epoch        bigint      NOT NULL DEFAULT 0,
    expires_at   timestamptz NOT NULL DEFAULT '-infinity', -- by this database's clock
    completed_at timestamptz,          -- the shard is closed and drained
    PRIMARY KEY (stream_id, shard)
);

CREATE TABLE shardgroup.checkpoints (
    stream_id   bigint      NOT NULL,
    shard       text        NOT NULL,
    sequence    text        NOT NULL, -- of the last record applied; empty: none yet
    sub         integer     NOT NULL,
    arrived_at  timestamptz,          -- when that record arrived on the stream
    tip_at      timestamptz,          -- all that arrived before it was applied (the last poll at the tip)
    records     bigint      NOT NULL DEFAULT 0,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream_id, shard),
    FOREIGN KEY (stream_id, shard) REFERENCES shardgroup.leases
);

CREATE TABLE shardgroup.workers (
    group_name text        NOT NULL,
    generation integer     NOT NULL,
    worker     text        NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (group_name, generation, worker)
);

-- What a group could not read: arrivals after from_at and before to_at.
CREATE TABLE shardgroup.gaps (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream_id  bigint      NOT NULL,
    shard      text        NOT NULL,
    reason     text        NOT NULL CHECK (reason IN ('stream_made_anew', 'trimmed')),
    from_at    timestamptz NOT NULL,
    to_at      timestamptz NOT NULL,
    noted_at   timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (stream_id, shard) REFERENCES shardgroup.leases
);

-- Records that were parked so that the shard could go on.
CREATE TABLE shardgroup.dead_records (
    stream_id  bigint      NOT NULL,
    shard      text        NOT NULL,
    sequence   text        NOT NULL,
    sub        integer     NOT NULL,
    key        text        NOT NULL,
    data       bytea       NOT NULL,
    arrived_at timestamptz NOT NULL,
    reason     text        NOT NULL,
    parked_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream_id, shard, sequence, sub),
    FOREIGN KEY (stream_id, shard) REFERENCES shardgroup.leases
);

-- +goose Down
DROP TABLE shardgroup.dead_records, shardgroup.gaps, shardgroup.workers, shardgroup.checkpoints, shardgroup.leases, shardgroup.streams;
