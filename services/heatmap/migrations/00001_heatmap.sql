-- +goose Up

-- The newest sequence of each driver that was counted. What is not above it is
-- a repeat, or came out of order, and is skipped: a sum forgets what it added.
CREATE TABLE heatmap.marks (
    generation integer NOT NULL,
    driver     text    NOT NULL COLLATE "C",
    seq        bigint  NOT NULL,
    skipped    bigint  NOT NULL DEFAULT 0,
    PRIMARY KEY (generation, driver)
) WITH (fillfactor = 70);

-- Points counted, by the minute of their fix time and S2 cell of level 15. All
-- of a row comes from the records' own fields, by sum, min and max: reading them
-- again, in other batches, writes the same row.
CREATE TABLE heatmap.cells (
    generation    integer     NOT NULL,
    window_at     timestamptz NOT NULL, -- the minute's start
    cell          bigint      NOT NULL, -- the S2 cell's id, as signed 64 bits
    n             bigint      NOT NULL,
    first_arrived timestamptz NOT NULL,
    last_arrived  timestamptz NOT NULL,
    PRIMARY KEY (generation, window_at, cell)
) WITH (fillfactor = 70);

-- Who was in a cell of late. It lives for hours, is no part of what a rebuild
-- must reproduce, and is only ever shown as a class of at least five.
CREATE TABLE heatmap.presence (
    window_at timestamptz NOT NULL,
    cell      bigint      NOT NULL,
    driver    text        NOT NULL COLLATE "C",
    PRIMARY KEY (window_at, cell, driver)
);

-- +goose Down
DROP TABLE heatmap.presence, heatmap.cells, heatmap.marks;
