-- name: put
-- Put a counter in place.  $1 name, $2 value
INSERT INTO {shard}.counters (name, value) VALUES ($1, $2)

-- name: put_note
-- Put a counter with a note.  $1 name, $2 note
INSERT INTO {shard}.counters (name, value, note) VALUES ($1, 0, $2) RETURNING note

-- name: value
-- Read a counter.  $1 name
SELECT value FROM {shard}.counters WHERE name = $1

-- name: total
-- Sum all counters.
SELECT COALESCE(sum(value), 0)::bigint FROM {shard}.counters

-- name: all_counters
-- List the counters, with their shard.  $1 at least this value
SELECT '{shard}' AS shard, name, value FROM {shard}.counters WHERE value >= $1 ORDER BY value

-- name: bump
-- Add to a counter.  $1 name, $2 by
SELECT {shard}.bump($1, $2) AS value

-- name: wait
-- Keep the server busy.  $1 seconds
SELECT pg_sleep($1)

-- name: bump_slowly
-- Add one to a counter, and keep the server busy before that.  $1 name, $2 seconds
UPDATE {shard}.counters SET value = value + 1
WHERE name = $1 AND pg_sleep($2)::text = ''
