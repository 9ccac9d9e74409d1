-- name: add
-- Leave an event for the relay, in the transaction of its cause.
-- $1 topic, $2 key, $3 kind, $4 payload, $5 headers
INSERT INTO {shard}.outbox (topic, partition_key, kind, payload, headers)
VALUES ($1, $2, $3, $4, $5)

-- name: oldest
-- Read the next events to publish, oldest first.
-- $1 limit
SELECT substr('{shard}', 7)::integer AS shard, id, topic, partition_key, kind, payload, headers,
       (extract(epoch FROM created_at) * 1000)::bigint AS created_ms,
       extract(epoch FROM clock_timestamp() - created_at)::float8 AS age_seconds
FROM {shard}.outbox
ORDER BY id
LIMIT $1

-- name: delete
-- Drop the events that Kafka has acknowledged.
-- $1 ids
DELETE FROM {shard}.outbox WHERE id = ANY($1::bigint[])
