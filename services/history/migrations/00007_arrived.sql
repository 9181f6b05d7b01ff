-- +goose Up

-- Playback and replay look for a span of arrivals. Rows are appended nearly in the order
-- of their arrival, so a range of pages has a narrow span of them, and the index is some
-- kB for a million rows. The newest ranges are summarized by autovacuum as they fill up:
-- those that are not yet are read for each span.
CREATE INDEX points_arrived ON history.points USING brin (arrived_at) WITH (autosummarize = on);

-- +goose Down
DROP INDEX history.points_arrived;
