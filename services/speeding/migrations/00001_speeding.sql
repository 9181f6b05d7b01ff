-- +goose Up

CREATE TABLE speeding.drivers (
    driver text        PRIMARY KEY,
    kmh    real        NOT NULL, -- the fastest that was measured
    at     timestamptz NOT NULL  -- when
);

-- +goose Down
DROP TABLE speeding.drivers;
