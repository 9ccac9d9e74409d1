-- name: insert_listing
-- Put a new listing and its empty calendar in.  $1 id  $2 host  $3 status  $4 version  $5..$37 the rest of
-- the columns, in this order
WITH listing AS (
    INSERT INTO {shard}.listings (
        listing_id, host_id, status, version,
        title, description, property_type, street, city, state, country_code, postal_code,
        lat, lng, public_lat, public_lng, time_zone, max_guests, bedrooms, beds, bathrooms,
        amenities, currency, base_price_minor, weekend_price_minor, cleaning_fee_minor,
        min_nights, max_nights, instant_book, cancellation_policy, check_in_time, check_out_time,
        rating, review_count, superhost, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
            $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36,
            $37)
    ON CONFLICT (listing_id) DO NOTHING
    RETURNING listing_id
)
INSERT INTO {shard}.calendars (listing_id) SELECT listing_id FROM listing RETURNING listing_id;

-- name: update_listing
-- Write the next version of a listing, if it is still the one it was made from.
-- $1 id  $2 host  $3 status  $4 next version  $5..$37 as in insert_listing
UPDATE {shard}.listings SET
    status = $3, version = $4,
    title = $5, description = $6, property_type = $7, street = $8, city = $9, state = $10,
    country_code = $11, postal_code = $12, lat = $13, lng = $14, public_lat = $15,
    public_lng = $16, time_zone = $17, max_guests = $18, bedrooms = $19, beds = $20,
    bathrooms = $21, amenities = $22, currency = $23, base_price_minor = $24,
    weekend_price_minor = $25, cleaning_fee_minor = $26, min_nights = $27, max_nights = $28,
    instant_book = $29, cancellation_policy = $30, check_in_time = $31, check_out_time = $32,
    rating = $33, review_count = $34, superhost = $35, created_at = $36, updated_at = $37
WHERE listing_id = $1 AND host_id = $2 AND version = $4 - 1 AND deleted_at IS NULL
RETURNING listing_id;

-- name: get_listing
-- A listing that is not deleted.  $1 id
SELECT
    listing_id, host_id, status, version, title, description, property_type, street, city, state,
    country_code, postal_code, lat, lng, public_lat, public_lng, time_zone, max_guests, bedrooms,
    beds, bathrooms, amenities, currency, base_price_minor, weekend_price_minor,
    cleaning_fee_minor, min_nights, max_nights, instant_book, cancellation_policy, check_in_time,
    check_out_time, rating, review_count, superhost, created_at, updated_at
FROM {shard}.listings
WHERE listing_id = $1 AND deleted_at IS NULL;

-- name: listings_of_host
-- A host's listings of one shard, newest first.  $1 host  $2 only older ids than this, or NULL
-- $3 how many at most
SELECT
    listing_id, host_id, status, version, title, description, property_type, street, city, state,
    country_code, postal_code, lat, lng, public_lat, public_lng, time_zone, max_guests, bedrooms,
    beds, bathrooms, amenities, currency, base_price_minor, weekend_price_minor,
    cleaning_fee_minor, min_nights, max_nights, instant_book, cancellation_policy, check_in_time,
    check_out_time, rating, review_count, superhost, created_at, updated_at
FROM {shard}.listings
WHERE host_id = $1 AND deleted_at IS NULL AND ($2::text IS NULL OR listing_id < $2)
ORDER BY listing_id DESC
LIMIT $3;

-- name: stays_ahead
-- Whether a listing has stays that are not over.  $1 id  $2 today at the listing
SELECT EXISTS (
    SELECT 1 FROM {shard}.bookings
    WHERE listing_id = $1 AND check_out > $2
      AND status IN ('pending', 'confirmed', 'checked_in')) AS ahead;

-- name: delete_listing
-- Take a listing off the market for good.  $1 id  $2 next version  $3 when
UPDATE {shard}.listings
SET status = 'inactive', version = $2, updated_at = $3, deleted_at = $3
WHERE listing_id = $1 AND version = $2 - 1 AND deleted_at IS NULL
RETURNING listing_id;
