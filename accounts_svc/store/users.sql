-- name: settle_sign_up
-- Put a new person in, or a new password for one whose address is not proven, with the token that
-- proves it, and tell. A proven person stays as they are.
-- $1 user id  $2 e-mail  $3 password hash  $4 first name  $5 last name  $6 roles
-- $7 SHA-256 of the token  $8 now  $9 end of the token
-- $10 topic  $11 key  $12 kind  $13 payload  $14 headers of the event
WITH person AS (
    INSERT INTO {shard}.users AS u
        (user_id, email, password_hash, first_name, last_name, roles, created_at, sign_up_at)
    VALUES ($1, $2, $3, $4, $5, $6, $8, $8)
    ON CONFLICT (user_id) DO UPDATE SET
        sign_up_at = $8,
        password_hash = CASE
            WHEN u.email_verified_at IS NULL THEN excluded.password_hash ELSE u.password_hash
        END
    RETURNING user_id, email_verified_at IS NOT NULL AS proven, xmax = 0 AS created
), token AS (
    INSERT INTO {shard}.verifications
        (token_sha256, user_id, password_hash, first_name, last_name, roles, created_at, expires_at)
    SELECT $7, user_id, $3, $4, $5, $6, $8, $9 FROM person WHERE NOT proven
    ON CONFLICT (token_sha256) DO NOTHING
), event AS (
    INSERT INTO {shard}.outbox (topic, partition_key, kind, payload, headers)
    SELECT $10, $11, $12, $13, $14::jsonb FROM person WHERE created
)
SELECT proven FROM person;

-- name: sign_up_of_token
-- The sign-up that a token belongs to, held until the end of the transaction.
-- $1 SHA-256 of the token
SELECT user_id, expires_at, used_at
FROM {shard}.verifications
WHERE token_sha256 = $1
FOR UPDATE;

-- name: prove_email
-- Let the sign-up of a token be the person.  $1 SHA-256 of the token  $2 now
WITH token AS (
    UPDATE {shard}.verifications AS v SET used_at = $2
    WHERE v.token_sha256 = $1
    RETURNING v.user_id, v.password_hash, v.first_name, v.last_name, v.roles
)
UPDATE {shard}.users AS u SET
    email_verified_at = $2,
    password_hash = token.password_hash,
    first_name = token.first_name,
    last_name = token.last_name,
    roles = token.roles
FROM token
WHERE u.user_id = token.user_id
RETURNING
    u.user_id, u.email, u.email_verified_at, u.password_hash, u.first_name, u.last_name, u.roles,
    u.superhost, u.created_at;

-- name: drop_other_tokens
-- Delete the unused tokens of a person.  $1 user id
DELETE FROM {shard}.verifications WHERE user_id = $1 AND used_at IS NULL;

-- name: get_user
-- A person.  $1 user id
SELECT
    user_id, email, email_verified_at, password_hash, first_name, last_name, roles, superhost,
    created_at
FROM {shard}.users
WHERE user_id = $1;

-- name: import_users
-- Put people in who are not there yet, tell of each, and return who was put in.
-- $1 user ids  $2 e-mails, or ''  $3 password hashes, or ''  $4 first names
-- $5 roles, each a list with commas  $6 superhost  $7 payloads of the events
-- $8 now  $9 topic  $10 kind  $11 headers of the events
WITH incoming AS (
    SELECT *
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[],
                $7::bytea[])
        AS i(user_id, email, password_hash, first_name, roles, superhost, payload)
), created AS (
    INSERT INTO {shard}.users
        (user_id, email, email_verified_at, password_hash, first_name, roles, superhost,
         created_at, sign_up_at)
    SELECT
        user_id, nullif(email, ''), CASE WHEN email <> '' THEN $8::timestamptz END,
        nullif(password_hash, ''), first_name, string_to_array(roles, ','), superhost, $8, $8
    FROM incoming
    ON CONFLICT (user_id) DO NOTHING
    RETURNING user_id
), events AS (
    INSERT INTO {shard}.outbox (topic, partition_key, kind, payload, headers)
    SELECT $9, user_id, $10, payload, $11::jsonb FROM incoming JOIN created USING (user_id)
)
SELECT user_id FROM created;

-- name: purge_verifications
-- Delete tokens that are too old.  $1 that ended before this
DELETE FROM {shard}.verifications WHERE expires_at < $1;
