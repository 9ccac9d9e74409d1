-- name: add
-- Note that a consumer takes an event; no row when it has taken it before.
-- $1 consumer, $2 event id
INSERT INTO {shard}.inbox (consumer, event_id)
VALUES ($1, $2)
ON CONFLICT DO NOTHING
RETURNING 1

-- name: purge
-- Forget events taken too long ago to come again, a bounded number at a time.
-- $1 kept seconds, $2 limit
DELETE FROM {shard}.inbox AS i
USING (
    SELECT consumer, event_id FROM {shard}.inbox
    WHERE seen_at < clock_timestamp() - make_interval(secs => $1)
    LIMIT $2
) AS old
WHERE (i.consumer, i.event_id) = (old.consumer, old.event_id)
RETURNING 1
