-- +goose Up

-- The partitions that were created for points of another time than their own, and
-- when: by that their number a day is bounded.
CREATE TABLE history.days (
    day        date        PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE history.days;
