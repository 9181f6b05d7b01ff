-- +goose Up

-- No schema is named: the table goes to the first schema of search_path. There
-- is no Down, because dropping the table would break promises.
CREATE TABLE outbox (
    seq        bigserial   PRIMARY KEY,
    id         uuid        NOT NULL UNIQUE,
    queue      text        NOT NULL,
    key        text        NOT NULL,
    body       bytea       NOT NULL,
    added_at   timestamptz NOT NULL,
    due_at     timestamptz NOT NULL, -- when the message may be seen: added_at + its delay
    retry_at   timestamptz NOT NULL, -- no try before this
    tries      integer     NOT NULL DEFAULT 0,
    last_error text        NOT NULL DEFAULT '',
    sent_at    timestamptz,          -- null: not sent yet
    message_id text        NOT NULL DEFAULT '' -- SQS's
);
CREATE INDEX outbox_unsent ON outbox (seq) WHERE sent_at IS NULL;
CREATE INDEX outbox_unsent_of_a_key ON outbox (queue, key, seq) WHERE sent_at IS NULL;
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;
