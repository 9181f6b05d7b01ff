-- +goose Up
-- When the rider confirmed the phone by a code; null: not yet, and no text is sent
-- to it. Numbers that were left before this migration have to be confirmed, too.
ALTER TABLE notification.contacts ADD COLUMN verified_at timestamptz,
    ADD CONSTRAINT contacts_verified CHECK (verified_at IS NULL OR phone IS NOT NULL);

-- The codes that were sent within the last day, at most as many as the cap on all.
CREATE TABLE notification.codes (
    id         uuid PRIMARY KEY,
    rider_id   text NOT NULL,
    phone      text NOT NULL,
    mac        bytea NOT NULL,           -- of the code, keyed; the code itself is nowhere
    created_at timestamptz NOT NULL DEFAULT now(),
    tries      int NOT NULL DEFAULT 0,
    used_at    timestamptz
);

-- not_sent: settled without a try, error says why.
ALTER TABLE notification.deliveries DROP CONSTRAINT deliveries_state_check,
    ADD CONSTRAINT deliveries_state_check CHECK (state IN ('pending', 'claimed', 'sent', 'failed', 'not_sent'));
CREATE INDEX deliveries_sms ON notification.deliveries (rider_id, created_at) WHERE channel = 'sms'; -- the cap on a rider's day

-- +goose Down
DROP INDEX notification.deliveries_sms;
UPDATE notification.deliveries SET state = 'failed' WHERE state = 'not_sent';
ALTER TABLE notification.deliveries DROP CONSTRAINT deliveries_state_check,
    ADD CONSTRAINT deliveries_state_check CHECK (state IN ('pending', 'claimed', 'sent', 'failed'));
DROP TABLE notification.codes;
ALTER TABLE notification.contacts DROP COLUMN verified_at;
