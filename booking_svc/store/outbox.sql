-- name: publish
-- Leave events for the relay, in the transaction of their cause, in this order.
-- $1 topics  $2 keys  $3 kinds  $4 payloads  $5 headers of all of them
INSERT INTO {shard}.outbox (topic, partition_key, kind, payload, headers)
SELECT e.topic, e.key, e.kind, e.payload, $5::jsonb
FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) AS e(topic, key, kind, payload);
