-- migrate:up
-- A review that everybody may read, in the shard of its listing.
CREATE TABLE reviews (
    review_id     text        PRIMARY KEY,
    listing_id    text        NOT NULL,
    reviewer_name text        NOT NULL,
    text          text        NOT NULL,
    rating        smallint    CHECK (rating BETWEEN 1 AND 5),
    published_at  timestamptz NOT NULL
);
-- The pages of a listing, newest first.
CREATE INDEX reviews_listing ON reviews (listing_id, published_at DESC, review_id DESC);

-- migrate:down
DROP TABLE reviews;
