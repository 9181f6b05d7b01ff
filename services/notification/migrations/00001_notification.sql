-- +goose Up
CREATE TABLE notification.contacts (
    rider_id   text PRIMARY KEY,
    phone      text,                     -- E.164; null: inbox only
    language   text NOT NULL CHECK (language IN ('es', 'en')),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- One row for each event and channel: what makes a repeated message harmless.
CREATE TABLE notification.deliveries (
    event_id   uuid NOT NULL,
    channel    text NOT NULL CHECK (channel IN ('inbox', 'sms')),
    rider_id   text NOT NULL,
    ride_id    uuid NOT NULL,
    kind       text NOT NULL,
    state      text NOT NULL CHECK (state IN ('pending', 'claimed', 'sent', 'failed')),
    tries      int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    claimed_at timestamptz,
    sent_at    timestamptz,
    message_id text,                     -- the SMS provider's
    error      text,
    PRIMARY KEY (event_id, channel)
);
CREATE INDEX deliveries_ride ON notification.deliveries (ride_id);

CREATE TABLE notification.inbox (
    id       bigserial PRIMARY KEY,      -- per rider in commit order: given under the rider's lock
    event_id uuid NOT NULL UNIQUE,
    rider_id text NOT NULL,
    ride_id  uuid NOT NULL,
    kind     text NOT NULL,
    text     text NOT NULL,
    at       timestamptz NOT NULL        -- of the event
);
CREATE INDEX inbox_rider ON notification.inbox (rider_id, id);

-- +goose Down
DROP TABLE notification.inbox;
DROP TABLE notification.deliveries;
DROP TABLE notification.contacts;
