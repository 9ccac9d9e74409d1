-- migrate:up
-- The directory: who has an address, in the shard of the address's hash. The person may not be
-- there (yet): the entry is written first.
CREATE TABLE emails (
    email_sha256 bytea       PRIMARY KEY,
    user_id      text        NOT NULL,
    claimed_at   timestamptz NOT NULL
);

-- How often something was tried with an address, whether or not anybody has it.
CREATE TABLE attempts (
    action       text        NOT NULL,
    email_sha256 bytea       NOT NULL,
    count        integer     NOT NULL,
    since        timestamptz NOT NULL,
    PRIMARY KEY (action, email_sha256)
);
CREATE INDEX attempts_since ON attempts (since);

-- migrate:down
DROP TABLE attempts, emails;
