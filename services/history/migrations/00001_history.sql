-- +goose Up

-- A point's identity is (driver, seq); day, the UTC date of seq, is there
-- because a partitioned table's key holds what it is partitioned by. It follows
-- from seq, so the key is no weaker for it. The driver comes first, so that a
-- driver's newest point is one step into the newest day's index.
CREATE TABLE history.points (
    day        date             NOT NULL,
    driver     text             NOT NULL COLLATE "C",
    seq        bigint           NOT NULL,
    at         timestamptz      NOT NULL, -- fix time
    lat        double precision NOT NULL,
    lon        double precision NOT NULL,
    speed      real             NOT NULL,
    heading    real             NOT NULL,
    accuracy   real             NOT NULL,
    arrived_at timestamptz      NOT NULL, -- on the stream
    shard      text             NOT NULL,
    not_rising boolean          NOT NULL, -- came after a higher sequence of its driver
    PRIMARY KEY (driver, day, seq)
) PARTITION BY RANGE (day);

-- Points that were here and were taken out again, so that audit can add up.
CREATE TABLE history.removed (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reason     text        NOT NULL CHECK (reason IN ('erased', 'expired')),
    driver     text COLLATE "C",     -- null: all of the day's
    day        date        NOT NULL,
    points     bigint      NOT NULL,
    removed_at timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE history.removed, history.points;
