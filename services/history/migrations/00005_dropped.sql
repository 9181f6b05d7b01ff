-- +goose Up

-- A day whose partition was dropped because of its age is not created again: a point
-- of it comes too late. A day of the present has a row here only once it was dropped.
ALTER TABLE history.days ADD COLUMN dropped_at timestamptz;

-- How many of the removed points came after a higher sequence of their driver: the
-- heatmap has not counted those.
ALTER TABLE history.removed ADD COLUMN not_rising bigint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE history.removed DROP COLUMN not_rising;
ALTER TABLE history.days DROP COLUMN dropped_at;
