-- +goose Up

-- Which process reads with a fan-out consumer. A consumer that was recreated
-- under the same name has another ARN, and so has a recreated stream's consumer.
CREATE TABLE shardgroup.consumer_leases (
    consumer_arn text        PRIMARY KEY,
    owner        text        NOT NULL,
    expires_at   timestamptz NOT NULL -- by this database's clock
);

-- +goose Down
DROP TABLE shardgroup.consumer_leases;
