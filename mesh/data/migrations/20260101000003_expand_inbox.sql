-- migrate:up
-- Events whose effect is done, written in the transaction of that effect. See mesh/data/inbox.py.
CREATE TABLE inbox (
    consumer text        NOT NULL,
    event_id text        NOT NULL,
    seen_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_seen_at ON inbox (seen_at);

-- migrate:down
DROP TABLE inbox;
