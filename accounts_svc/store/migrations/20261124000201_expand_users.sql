-- migrate:up
-- A person. Without `email` and `password_hash` (imported) nobody can sign in as them.
CREATE TABLE users (
    user_id           text        PRIMARY KEY,
    email             text,
    email_verified_at timestamptz,
    password_hash     text,
    first_name        text        NOT NULL,
    last_name         text        NOT NULL DEFAULT '',
    roles             text[]      NOT NULL CHECK (roles <@ ARRAY['guest', 'host', 'admin']),
    superhost         boolean     NOT NULL DEFAULT false,
    created_at        timestamptz NOT NULL,
    -- When somebody last signed up with the address. Touched also when nothing comes of it, so
    -- that such a sign-up takes as long as any other.
    sign_up_at        timestamptz NOT NULL
);

-- A sign-up waiting for its address to be proven. What it says of the person takes effect with
-- its own token.
CREATE TABLE verifications (
    token_sha256  bytea       PRIMARY KEY,
    user_id       text        NOT NULL REFERENCES users,
    password_hash text        NOT NULL,
    first_name    text        NOT NULL,
    last_name     text        NOT NULL,
    roles         text[]      NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    used_at       timestamptz
);
CREATE INDEX verifications_user ON verifications (user_id);
CREATE INDEX verifications_expiry ON verifications (expires_at);

-- One row a log-in.
CREATE TABLE sessions (
    session_id text        PRIMARY KEY,
    user_id    text        NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- migrate:down
DROP TABLE sessions, verifications, users;
