-- +goose Up
CREATE TABLE account.accounts (
    role       text        NOT NULL CHECK (role IN ('rider', 'driver', 'admin')),
    subject    text        NOT NULL CHECK (subject ~ '^[A-Za-z0-9_-]{1,64}$'),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (role, subject)
);

-- A session's secret is never stored, only its SHA-256.
CREATE TABLE account.sessions (
    secret_hash bytea       PRIMARY KEY,
    role        text        NOT NULL,
    subject     text        NOT NULL,
    expires_at  timestamptz NOT NULL,
    FOREIGN KEY (role, subject) REFERENCES account.accounts ON DELETE CASCADE
);
CREATE INDEX sessions_expiry ON account.sessions (expires_at);

CREATE TABLE account.socket_tickets (
    ticket_hash bytea       PRIMARY KEY,
    role        text        NOT NULL,
    subject     text        NOT NULL,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX socket_tickets_expiry ON account.socket_tickets (expires_at);

-- +goose Down
DROP TABLE account.socket_tickets, account.sessions, account.accounts;
