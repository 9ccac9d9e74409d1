-- name: some
-- The calendars of some listings.  $1 ids
SELECT listing_id, version, first_day, taken, price_days, prices_minor
FROM {shard}.calendars
WHERE listing_id = ANY ($1::text[]);

-- name: put
-- Write a calendar.
-- $1 id, $2 partition, $3 version, $4 first day, $5 taken, $6 days with a price, $7 their prices
INSERT INTO {shard}.calendars AS c
    (listing_id, partition, version, first_day, taken, price_days, prices_minor)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (listing_id) DO UPDATE SET
    version = excluded.version, first_day = excluded.first_day, taken = excluded.taken,
    price_days = excluded.price_days, prices_minor = excluded.prices_minor
WHERE excluded.version > c.version;

-- name: of_partitions
-- The calendars of some partitions.  $1 partitions
SELECT listing_id, version, first_day, taken, price_days, prices_minor
FROM {shard}.calendars
WHERE partition = ANY ($1::smallint[]);
