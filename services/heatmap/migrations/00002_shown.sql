-- +goose Up

-- The public heatmap of a minute, as it was first computed. A late point changes
-- presence but not this: two maps of one minute could be subtracted, whoever
-- computed them and whenever. It leaves with presence.
CREATE TABLE heatmap.shown (
    window_at timestamptz PRIMARY KEY,
    cells     bigint[] NOT NULL, -- the areas' S2 cells
    classes   text[]   NOT NULL, -- of distinct drivers, of each of them
    CHECK (cardinality(cells) = cardinality(classes))
);

-- +goose Down
DROP TABLE heatmap.shown;
