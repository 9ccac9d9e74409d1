-- name: claim_sources
-- Take what is not known yet of a batch, and return that.  $1 source  $2 ids there  $3 listing ids
INSERT INTO {shard}.import_sources (source, source_id, listing_id)
SELECT $1, u.source_id, u.listing_id
FROM unnest($2::text[], $3::text[]) AS u(source_id, listing_id)
ON CONFLICT (source, source_id) DO NOTHING
RETURNING source_id;

-- name: known_sources
-- Which listings those of a batch are.  $1 source  $2 ids there
SELECT source_id, listing_id FROM {shard}.import_sources
WHERE source = $1 AND source_id = ANY($2::text[]);
