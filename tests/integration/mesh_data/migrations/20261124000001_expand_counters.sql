-- migrate:up
CREATE TABLE counters (
    name  text   PRIMARY KEY,
    value bigint NOT NULL CHECK (value < 1000),
    note  jsonb
);

CREATE FUNCTION bump(counter text, by bigint) RETURNS bigint
LANGUAGE sql SET search_path FROM CURRENT AS $$
    UPDATE counters SET value = value + by WHERE name = counter RETURNING value
$$;

-- migrate:down
DROP FUNCTION bump;
DROP TABLE counters;
