-- +goose Up

-- Each replay of a span counts into a generation of its own, of which nobody is shown
-- anything until it is whole; then its rows take the place of those that the live reader
-- wrote, whose generation is 1. One that was never swapped in is the rest of a replay that
-- ended early, and the next one deletes its rows.
CREATE TABLE heatmap.generations (
    generation integer     PRIMARY KEY CHECK (generation > 1),
    from_at    timestamptz NOT NULL, -- the span of arrivals
    to_at      timestamptz NOT NULL,
    began_at   timestamptz NOT NULL DEFAULT now(),
    swapped_at timestamptz,          -- null: it was not
    sha256     text                  -- of its rows, when it was whole
);

-- +goose Down
DROP TABLE heatmap.generations;
