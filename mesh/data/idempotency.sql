-- name: take
-- Take a key for a lease: a new one, or one whose lease is over and that has no answer yet.
-- No row means that it cannot be taken; `found` then tells why.
-- $1 user, $2 method, $3 key, $4 fingerprint, $5 lease in seconds
INSERT INTO {shard}.idempotency AS i (user_id, method, key, fingerprint, lease_until)
VALUES ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5))
ON CONFLICT (user_id, method, key) DO UPDATE
SET attempt = i.attempt + 1, lease_until = excluded.lease_until
WHERE i.response IS NULL AND i.lease_until <= clock_timestamp() AND i.fingerprint = $4
RETURNING i.attempt, i.first_seen

-- name: found
-- Tell what is known of a key.
-- $1 user, $2 method, $3 key
SELECT fingerprint, response,
       extract(epoch FROM lease_until - clock_timestamp())::float8 AS lease_seconds
FROM {shard}.idempotency
WHERE user_id = $1 AND method = $2 AND key = $3

-- name: finish
-- Keep the answer of the attempt that still holds the key.
-- $1 user, $2 method, $3 key, $4 attempt, $5 response
UPDATE {shard}.idempotency
SET response = $5
WHERE user_id = $1 AND method = $2 AND key = $3 AND attempt = $4

-- name: fail
-- End the lease of the attempt that still holds the key, so that it can be taken again at once.
-- $1 user, $2 method, $3 key, $4 attempt
UPDATE {shard}.idempotency
SET lease_until = '-infinity'
WHERE user_id = $1 AND method = $2 AND key = $3 AND attempt = $4 AND response IS NULL

-- name: purge
-- Forget keys first seen too long ago, a bounded number at a time.
-- $1 kept seconds, $2 limit
DELETE FROM {shard}.idempotency AS i
USING (
    SELECT user_id, method, key FROM {shard}.idempotency
    WHERE first_seen < clock_timestamp() - make_interval(secs => $1)
      AND lease_until < clock_timestamp()
    LIMIT $2
) AS old
WHERE (i.user_id, i.method, i.key) = (old.user_id, old.method, old.key)
RETURNING 1
