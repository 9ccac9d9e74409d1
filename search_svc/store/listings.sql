-- name: put
-- Take versions of listings; an older one never overwrites a newer.
-- $1 ids, $2 partitions, $3 versions, $4 active, $5 titles, $6 property types, $7 cities, $8 states,
-- $9 countries, $10 lat, $11 lng, $12 guests, $13 bedrooms, $14 beds, $15 bathrooms, $16 amenities,
-- comma-separated, $17 instant book, $18 superhost, $19 ratings, $20 review counts, $21 currencies,
-- $22 base, $23 weekend, $24 cleaning, $25 min nights, $26 max nights, $27 ranks
INSERT INTO {shard}.listings AS l (
    listing_id, partition, version, active, title, property_type, city, state,
    country_code, lat, lng, max_guests, bedrooms, beds, bathrooms, amenities,
    instant_book, superhost, rating, review_count, currency,
    base_price_minor, weekend_price_minor, cleaning_fee_minor, min_nights, max_nights, rank
)
SELECT u.id, u.partition, u.version, u.active, u.title, u.property_type, u.city, u.state,
       u.country_code, u.lat, u.lng, u.max_guests, u.bedrooms, u.beds, u.bathrooms,
       string_to_array(u.amenities, ','),
       u.instant_book, u.superhost, u.rating, u.review_count, u.currency,
       u.base, u.weekend, u.cleaning, u.min_nights, u.max_nights, u.rank
FROM unnest(
    $1::text[], $2::smallint[], $3::bigint[], $4::boolean[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::float8[], $11::float8[], $12::int[], $13::int[], $14::int[],
    $15::float8[], $16::text[], $17::boolean[], $18::boolean[], $19::float8[], $20::int[],
    $21::text[], $22::bigint[], $23::bigint[], $24::bigint[], $25::int[], $26::int[], $27::int[]
) AS u (
    id, partition, version, active, title, property_type, city, state,
    country_code, lat, lng, max_guests, bedrooms, beds, bathrooms, amenities,
    instant_book, superhost, rating, review_count, currency,
    base, weekend, cleaning, min_nights, max_nights, rank
)
ON CONFLICT (listing_id) DO UPDATE SET
    version = excluded.version, active = excluded.active, title = excluded.title,
    property_type = excluded.property_type, city = excluded.city, state = excluded.state,
    country_code = excluded.country_code, lat = excluded.lat, lng = excluded.lng,
    max_guests = excluded.max_guests, bedrooms = excluded.bedrooms, beds = excluded.beds,
    bathrooms = excluded.bathrooms, amenities = excluded.amenities,
    instant_book = excluded.instant_book, superhost = excluded.superhost,
    rating = excluded.rating, review_count = excluded.review_count, currency = excluded.currency,
    base_price_minor = excluded.base_price_minor,
    weekend_price_minor = excluded.weekend_price_minor,
    cleaning_fee_minor = excluded.cleaning_fee_minor, min_nights = excluded.min_nights,
    max_nights = excluded.max_nights, rank = excluded.rank
WHERE excluded.version > l.version;

-- name: waiting
-- Listings whose newest version Elasticsearch does not have yet.  $1 how many
SELECT listing_id, version, active, title, property_type, city, state, country_code, lat, lng,
       max_guests, bedrooms, beds, bathrooms, amenities, instant_book, superhost, rating,
       review_count, currency, base_price_minor, weekend_price_minor, cleaning_fee_minor,
       min_nights, max_nights, rank
FROM {shard}.listings
WHERE indexed_version <> version
ORDER BY listing_id
LIMIT $1;

-- name: mark_indexed
-- Note the versions that Elasticsearch has.  $1 ids, $2 versions
UPDATE {shard}.listings AS l
SET indexed_version = u.version
FROM unnest($1::text[], $2::bigint[]) AS u (id, version)
WHERE l.listing_id = u.id;

-- name: forget_indexed
-- Let every listing be indexed again, for an index that is new.
UPDATE {shard}.listings SET indexed_version = 0 WHERE indexed_version <> 0;

-- name: candidates
-- The listings in a circle that fit the filters, after a position in the order of rank and id. The
-- boxes let the index find them; the circle is on the sphere that Elasticsearch measures on.
-- $1 lat, $2 lng, $3 kilometres, $4 box, $5 another box, $6 guests, $7 amenities, $8 property types,
-- $9 instant book, $10 superhost, $11 bedrooms, $12 beds, $13 bathrooms, $14 rating,
-- $15 rank and $16 id of the position, or null, $17 how many. The columns are a card's, in order.
SELECT listing_id, rank, title, city, country_code, property_type, lat, lng, max_guests, bedrooms,
       beds, bathrooms, instant_book, superhost, rating, review_count, currency, base_price_minor
FROM {shard}.listings
WHERE active
  AND (point(lng, lat) <@ $4::box OR point(lng, lat) <@ $5::box)
  AND 2 * 6371.0087714 * asin(sqrt(least(1.0,
        power(sin(radians(lat - $1::float8) / 2), 2)
        + cos(radians($1::float8)) * cos(radians(lat))
          * power(sin(radians(lng - $2::float8) / 2), 2)
      ))) <= $3::float8
  AND max_guests >= $6::int
  AND amenities @> $7::text[]
  AND (cardinality($8::text[]) = 0 OR property_type = ANY ($8::text[]))
  AND ($9::boolean IS NULL OR instant_book = $9::boolean)
  AND ($10::boolean IS NULL OR superhost = $10::boolean)
  AND ($11::int = 0 OR bedrooms >= $11::int)
  AND ($12::int = 0 OR beds >= $12::int)
  AND ($13::float8 = 0 OR bathrooms >= $13::float8)
  AND ($14::float8 = 0 OR rating >= $14::float8)
  AND ($15::int IS NULL OR rank < $15::int OR (rank = $15::int AND listing_id COLLATE "C" > $16::text))
ORDER BY rank DESC, listing_id COLLATE "C"
LIMIT $17;

-- name: terms
-- What the listings of some partitions ask of a stay, and for it.  $1 partitions
SELECT listing_id, version, active, min_nights, max_nights, max_guests, currency,
       base_price_minor, weekend_price_minor, cleaning_fee_minor, country_code, state, city
FROM {shard}.listings
WHERE partition = ANY ($1::smallint[]);
