-- name: offer
-- A listing with the version of its calendar and those nights of a range that differ from the
-- default, in one consistent read.  $1 listing  $2 first night  $3 the day after the last one
SELECT
    l.listing_id, l.host_id, l.status, l.version, l.title, l.description, l.property_type,
    l.street, l.city, l.state, l.country_code, l.postal_code, l.lat, l.lng, l.public_lat,
    l.public_lng, l.time_zone, l.max_guests, l.bedrooms, l.beds, l.bathrooms, l.amenities,
    l.currency, l.base_price_minor, l.weekend_price_minor, l.cleaning_fee_minor, l.min_nights,
    l.max_nights, l.instant_book, l.cancellation_policy, l.check_in_time, l.check_out_time,
    l.rating, l.review_count, l.superhost, l.created_at, l.updated_at,
    c.version AS calendar_version,
    (SELECT jsonb_agg(jsonb_build_array(
                n.night, n.status, n.booking_id, n.price_minor, n.notes))
     FROM {shard}.nights AS n
     WHERE n.listing_id = l.listing_id AND n.night >= $2 AND n.night < $3) AS nights
FROM {shard}.listings AS l JOIN {shard}.calendars AS c USING (listing_id)
WHERE l.listing_id = $1 AND l.deleted_at IS NULL;

-- name: calendar
-- The version of a calendar and those nights of a range that differ from the default.
-- $1 listing  $2 first night  $3 the day after the last one
SELECT c.version AS calendar_version,
    (SELECT jsonb_agg(jsonb_build_array(
                n.night, n.status, n.booking_id, n.price_minor, n.notes))
     FROM {shard}.nights AS n
     WHERE n.listing_id = c.listing_id AND n.night >= $2 AND n.night < $3) AS nights
FROM {shard}.calendars AS c
WHERE c.listing_id = $1;

-- name: put_nights
-- Write nights as they are now.  $1 listing  $2 nights  $3 statuses  $4 booking ids
-- $5 prices in minor units  $6 notes
INSERT INTO {shard}.nights (listing_id, night, status, booking_id, price_minor, notes)
SELECT $1, u.night, u.status, u.booking_id, u.price_minor, u.notes
FROM unnest($2::date[], $3::text[], $4::text[], $5::bigint[], $6::text[])
    AS u(night, status, booking_id, price_minor, notes)
ON CONFLICT (listing_id, night) DO UPDATE SET
    status = EXCLUDED.status, booking_id = EXCLUDED.booking_id,
    price_minor = EXCLUDED.price_minor, notes = EXCLUDED.notes;

-- name: drop_nights
-- Forget nights that are back to the default.  $1 listing  $2 nights
DELETE FROM {shard}.nights WHERE listing_id = $1 AND night = ANY($2::date[]);

-- name: bump_calendar
-- Count a change of the calendar and return its new version.  $1 listing
UPDATE {shard}.calendars SET version = version + 1 WHERE listing_id = $1 RETURNING version;
