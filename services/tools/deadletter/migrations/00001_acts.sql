-- +goose Up

-- What people did with dead letters. A row is written before the act, and its outcome
-- after it: one without an outcome was cut off, and nobody knows whether it happened.
-- They leave by age, as rides do.
CREATE TABLE operations.acts (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    who        text        NOT NULL CHECK (who <> ''),
    verified   boolean     NOT NULL, -- false: who is what somebody said at a command line
    act        text        NOT NULL CHECK (act IN ('redrive', 'redrive all', 'cancel redrive', 'discard', 'send again')),
    place      text        NOT NULL, -- the dead-letter queue, or outbox
    message_id text        NOT NULL DEFAULT '', -- the row's id in the outbox; empty: the act was on all
    ride_id    uuid,
    why        text        NOT NULL DEFAULT '', -- in the words of who acted
    reason     text        NOT NULL DEFAULT '', -- why it was a dead letter
    outcome    text        CHECK (outcome IN ('done', 'failed', 'unknown')),
    result     text        NOT NULL DEFAULT '',
    ended_at   timestamptz,
    CHECK ((outcome IS NULL) = (ended_at IS NULL)),
    CHECK (act <> 'discard' OR char_length(why) BETWEEN 3 AND 500)
);

-- +goose Down
DROP TABLE operations.acts;
