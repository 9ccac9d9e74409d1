-- name: open_session
-- Begin a session, and store the password's new hash when its parameters have changed.
-- $1 session id  $2 user id  $3 now  $4 end  $5 new hash, or NULL  $6 the hash it replaces
WITH rehashed AS (
    UPDATE {shard}.users SET password_hash = $5
    WHERE user_id = $2 AND password_hash = $6 AND $5::text IS NOT NULL
)
INSERT INTO {shard}.sessions (session_id, user_id, created_at, expires_at)
VALUES ($1, $2, $3, $4);

-- name: revoke_session
-- End a session of a person, if it has not ended.  $1 session id  $2 user id  $3 now
UPDATE {shard}.sessions SET revoked_at = $3
WHERE session_id = $1 AND user_id = $2 AND revoked_at IS NULL;

-- name: purge_sessions
-- Delete sessions that are over.  $1 that ended before this
DELETE FROM {shard}.sessions WHERE expires_at < $1;
