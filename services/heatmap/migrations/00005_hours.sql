-- +goose Up

-- The rows of heatmap.cells added up by the hour, in the same transactions: a day of
-- a city is a million rows of minutes. What a heatmap of before writes after this, each
-- heatmap adds up when it starts, until two days after.
CREATE TABLE heatmap.hours (
    generation    integer     NOT NULL,
    hour_at       timestamptz NOT NULL, -- the hour's start
    cell          bigint      NOT NULL,
    n             bigint      NOT NULL,
    first_arrived timestamptz NOT NULL,
    last_arrived  timestamptz NOT NULL,
    PRIMARY KEY (generation, hour_at, cell)
) WITH (fillfactor = 70);

INSERT INTO heatmap.hours (generation, hour_at, cell, n, first_arrived, last_arrived)
SELECT generation, date_trunc('hour', window_at, 'UTC'), cell, sum(n), min(first_arrived), max(last_arrived)
FROM heatmap.cells WHERE generation = 1 GROUP BY 1, 2, 3;

-- +goose Down
DROP TABLE heatmap.hours;
