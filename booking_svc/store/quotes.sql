-- name: insert_quote
-- Keep a quote.  $1 id  $2 listing  $3 check-in  $4 check-out  $5 guests  $6 price  $7 until when
INSERT INTO {shard}.quotes (quote_id, listing_id, check_in, check_out, guests, price, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: get_quote
-- A quote, also one that has expired.  $1 id
SELECT quote_id, listing_id, check_in, check_out, guests, price, expires_at
FROM {shard}.quotes WHERE quote_id = $1;

-- name: purge_quotes
-- Forget quotes that expired before an instant.  $1 the instant
DELETE FROM {shard}.quotes WHERE expires_at < $1;
