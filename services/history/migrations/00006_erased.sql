-- +goose Up

-- A driver whose points were erased. What of it arrived on the stream up to erased_at
-- is not stored, and neither is a repeat of what was erased: a sequence up to seq, the
-- highest one that was counted in history.removed as erased. So reading again brings
-- nothing back, and counts nothing twice.
CREATE TABLE history.erased (
    driver    text        PRIMARY KEY COLLATE "C",
    erased_at timestamptz NOT NULL, -- by this database's clock
    seq       bigint      NOT NULL
);

-- +goose Down
DROP TABLE history.erased;
