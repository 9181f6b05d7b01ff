-- +goose Up

-- Where rides were asked for in a quarter of an hour, as it was first computed. A booking
-- that commits late changes nothing: two maps of one span could be subtracted.
CREATE TABLE ride.demand (
    from_at timestamptz PRIMARY KEY,
    cells   bigint[] NOT NULL, -- the areas' S2 cells
    classes text[]   NOT NULL, -- of distinct riders, of each of them
    CHECK (cardinality(cells) = cardinality(classes))
);

-- +goose Down
DROP TABLE ride.demand;
