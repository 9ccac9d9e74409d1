-- migrate:up
-- One row per client key: who runs the call, and what it answered. See mesh/data/idempotency.py.
CREATE TABLE idempotency (
    user_id     text        NOT NULL,
    method      text        NOT NULL,
    key         text        NOT NULL,
    fingerprint bytea       NOT NULL,
    lease_until timestamptz NOT NULL,
    attempt     integer     NOT NULL DEFAULT 0,
    first_seen  timestamptz NOT NULL DEFAULT clock_timestamp(),
    response    bytea,
    PRIMARY KEY (user_id, method, key)
);
CREATE INDEX idempotency_first_seen ON idempotency (first_seen);

-- migrate:down
DROP TABLE idempotency;
