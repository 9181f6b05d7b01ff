-- +goose Up

-- Marks raised by a batch, that are not in heatmap.marks yet: a driver's mark is the
-- highest of both. A row a batch is a tenth of the work of a row a driver. A
-- lease's rows are merged into marks by itself after some batches, and by the next
-- lease before it asks for a mark.
CREATE TABLE heatmap.raised (
    generation integer  NOT NULL,
    lease      uuid     NOT NULL,
    n          integer  NOT NULL, -- counts the lease's rows
    drivers    text[]   NOT NULL,
    seqs       bigint[] NOT NULL, -- of each of them
    PRIMARY KEY (generation, lease, n),
    CHECK (cardinality(drivers) = cardinality(seqs))
);

-- Rows live for seconds: compressing them costs more than it saves.
ALTER TABLE heatmap.raised ALTER COLUMN drivers SET STORAGE EXTERNAL, ALTER COLUMN seqs SET STORAGE EXTERNAL;

-- +goose Down
INSERT INTO heatmap.marks AS m (generation, driver, seq)
SELECT generation, driver, max(seq) FROM heatmap.raised, unnest(drivers, seqs) AS u (driver, seq) GROUP BY generation, driver
ON CONFLICT (generation, driver) DO UPDATE SET seq = greatest(m.seq, excluded.seq);
DROP TABLE heatmap.raised;
