-- name: all_of
-- Where to go on in some topics.  $1 topics
SELECT topic, partition, next_offset FROM {shard}.offsets WHERE topic = ANY ($1::text[]);

-- name: put
-- Note where to go on.  $1 topics, $2 partitions, $3 offsets
INSERT INTO {shard}.offsets (topic, partition, next_offset)
SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[])
ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset;

-- name: forget
-- Begin anew in every topic.
DELETE FROM {shard}.offsets;
