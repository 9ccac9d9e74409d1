-- migrate:up
-- Events waiting to be published, written in the transaction of their cause. The relay deletes
-- what Kafka has acknowledged, so the table is nearly empty. See mesh/data/outbox.py.
CREATE TABLE outbox (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic         text        NOT NULL,
    partition_key text        NOT NULL,
    kind          text        NOT NULL,
    payload       bytea       NOT NULL,
    headers       jsonb       NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- migrate:down
DROP TABLE outbox;
