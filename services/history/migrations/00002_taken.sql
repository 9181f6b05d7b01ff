-- +goose Up

-- When location took the point from its driver: it rises from batch to batch. It
-- tells a point that its driver sent late from one that the stream has reordered.
-- Null: not known.
ALTER TABLE history.points ADD COLUMN taken_at timestamptz;

-- +goose Down
ALTER TABLE history.points DROP COLUMN taken_at;
