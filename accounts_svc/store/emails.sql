-- name: claim_email
-- Reserve an address for a person, unless somebody has it; return who has it.
-- $1 SHA-256 of the address  $2 user id  $3 now
INSERT INTO {shard}.emails AS e (email_sha256, user_id, claimed_at)
VALUES ($1, $2, $3)
ON CONFLICT (email_sha256) DO UPDATE SET user_id = e.user_id
RETURNING user_id;

-- name: owner_of_email
-- Who has an address.  $1 SHA-256 of the address
SELECT user_id FROM {shard}.emails WHERE email_sha256 = $1;

-- name: count_attempt
-- Count an attempt, in a new window if the old one has passed.
-- $1 action  $2 SHA-256 of the address  $3 now  $4 a window that began then or before has passed
INSERT INTO {shard}.attempts AS a (action, email_sha256, count, since)
VALUES ($1, $2, 1, $3)
ON CONFLICT (action, email_sha256) DO UPDATE SET
    count = CASE WHEN a.since <= $4 THEN 1 ELSE a.count + 1 END,
    since = CASE WHEN a.since <= $4 THEN $3 ELSE a.since END
RETURNING count, since;

-- name: forget_attempts
-- Forget the attempts with an address.  $1 action  $2 SHA-256 of the address
DELETE FROM {shard}.attempts WHERE action = $1 AND email_sha256 = $2;

-- name: purge_attempts
-- Delete the counts of windows long past.  $1 windows that began before this
DELETE FROM {shard}.attempts WHERE since < $1;
