-- +goose Up

-- What was measured besides the place and the time. Null: not known. Partitions that
-- are there follow; no row is touched.
ALTER TABLE history.points
    ALTER COLUMN speed DROP NOT NULL,
    ALTER COLUMN heading DROP NOT NULL,
    ALTER COLUMN accuracy DROP NOT NULL;

-- +goose Down
UPDATE history.points SET speed = coalesce(speed, 0), heading = coalesce(heading, 0), accuracy = coalesce(accuracy, 0)
WHERE speed IS NULL OR heading IS NULL OR accuracy IS NULL;
ALTER TABLE history.points
    ALTER COLUMN speed SET NOT NULL,
    ALTER COLUMN heading SET NOT NULL,
    ALTER COLUMN accuracy SET NOT NULL;
