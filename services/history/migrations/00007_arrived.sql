-- +goose Up

-- Playback and replay look for a span of arrivals. Rows are appended nearly in the order
-- of their arrival, so a range of pages has a narrow span of them, and the index is some
-- kB for a million rows. The newest ranges are summarized by autovacuum as they fill up:
-- those that are not yet are read for each span.
--
-- ON ONLY: history goes on writing, and each day from now on is attached with its index.
-- Building those of the days that are there would hold up the writer, and Postgres refuses
-- CONCURRENTLY for all days at once. Such a day is read whole until it is dropped, or until
--   CREATE INDEX CONCURRENTLY points_2026mmdd_arrived ON history.points_2026mmdd
--     USING brin (arrived_at) WITH (autosummarize = on);
--   ALTER INDEX history.points_arrived ATTACH PARTITION history.points_2026mmdd_arrived;
CREATE INDEX points_arrived ON ONLY history.points USING brin (arrived_at) WITH (autosummarize = on);

-- +goose Down
DROP INDEX history.points_arrived;
