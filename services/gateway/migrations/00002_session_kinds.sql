-- +goose Up
-- What is there already may be either kind; a browser's is the one that a person
-- would miss. Programs ask for a new refresh token.
ALTER TABLE account.sessions ADD COLUMN kind text NOT NULL DEFAULT 'cookie' CHECK (kind IN ('cookie', 'refresh'));
ALTER TABLE account.sessions ALTER COLUMN kind DROP DEFAULT;
CREATE INDEX sessions_person ON account.sessions (role, subject); -- signing out ends all of a person's

-- +goose Down
DROP INDEX account.sessions_person;
ALTER TABLE account.sessions DROP COLUMN kind;
