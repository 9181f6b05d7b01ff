-- +goose Up
-- A guest comes once, and its account stays: what nobody signs in to is deleted.
ALTER TABLE account.accounts ADD COLUMN signed_in_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX accounts_by_sign_in ON account.accounts (signed_in_at);

-- +goose Down
ALTER TABLE account.accounts DROP COLUMN signed_in_at;
