-- +goose Up
-- Every gateway looks here for people who have signed out at another one.
CREATE TABLE account.sign_outs (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    role    text        NOT NULL,
    subject text        NOT NULL,
    at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sign_outs_by_time ON account.sign_outs (at);

-- +goose Down
DROP TABLE account.sign_outs;
