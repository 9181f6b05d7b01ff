-- +goose Up

-- The reason of a gap is called what happened: the stream was recreated.
ALTER TABLE shardgroup.gaps DROP CONSTRAINT gaps_reason_check;
UPDATE shardgroup.gaps SET reason = 'stream_recreated' WHERE reason = 'stream_made_anew';
ALTER TABLE shardgroup.gaps ADD CONSTRAINT gaps_reason_check CHECK (reason IN ('stream_recreated', 'trimmed'));

-- +goose Down
ALTER TABLE shardgroup.gaps DROP CONSTRAINT gaps_reason_check;
UPDATE shardgroup.gaps SET reason = 'stream_made_anew' WHERE reason = 'stream_recreated';
ALTER TABLE shardgroup.gaps ADD CONSTRAINT gaps_reason_check CHECK (reason IN ('stream_made_anew', 'trimmed'));
