-- name: page_of_listing
-- A listing's reviews, newest first.
-- $1 listing id  $2 and $3 only what comes after this instant and review, or NULL  $4 at most
SELECT review_id, listing_id, reviewer_name, text, rating, published_at
FROM {shard}.reviews
WHERE listing_id = $1
    AND ($2::timestamptz IS NULL OR (published_at, review_id) < ($2, $3::text))
ORDER BY published_at DESC, review_id DESC
LIMIT $4;

-- name: import_reviews
-- Put reviews in that are not there yet, and return how many.
-- $1 review ids  $2 listing ids  $3 names  $4 texts  $5 ratings, 0 for none  $6 instants
WITH created AS (
    INSERT INTO {shard}.reviews
        (review_id, listing_id, reviewer_name, text, rating, published_at)
    SELECT review_id, listing_id, reviewer_name, text, nullif(rating, 0), published_at
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::timestamptz[])
        AS r(review_id, listing_id, reviewer_name, text, rating, published_at)
    ON CONFLICT (review_id) DO NOTHING
    RETURNING review_id
)
SELECT count(*) AS created FROM created;
