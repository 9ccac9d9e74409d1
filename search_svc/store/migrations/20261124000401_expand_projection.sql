-- migrate:up
-- The newest version of each listing that was heard of. `indexed_version` is the one that
-- Elasticsearch has acknowledged: where it is another, the listing waits to be indexed.
CREATE TABLE listings (
    listing_id          text     PRIMARY KEY,
    partition           smallint NOT NULL,
    version             bigint   NOT NULL,
    indexed_version     bigint   NOT NULL DEFAULT 0,
    active              boolean  NOT NULL,
    title               text     NOT NULL,
    property_type       text     NOT NULL,
    city                text     NOT NULL,
    state               text     NOT NULL,
    country_code        text     NOT NULL,
    lat                 double precision NOT NULL,
    lng                 double precision NOT NULL,
    max_guests          integer  NOT NULL,
    bedrooms            integer,
    beds                integer,
    bathrooms           double precision,
    amenities           text[]   NOT NULL,
    instant_book        boolean  NOT NULL,
    superhost           boolean  NOT NULL,
    rating              double precision NOT NULL,
    review_count        integer  NOT NULL,
    currency            text     NOT NULL,
    base_price_minor    bigint   NOT NULL,
    weekend_price_minor bigint,
    cleaning_fee_minor  bigint   NOT NULL,
    min_nights          integer  NOT NULL,
    max_nights          integer  NOT NULL,
    rank                integer  NOT NULL
);
CREATE INDEX listings_dirty ON listings (listing_id) WHERE indexed_version <> version;
-- For the searches that PostgreSQL answers while Elasticsearch is away.
CREATE INDEX listings_place ON listings USING gist (point(lng, lat)) WHERE active;

-- The nights of each listing: bit n of `taken` is the night first_day + n, counted from 1970-01-01,
-- least significant bit first; prices only of nights that have their own. A row of its own, because
-- it changes more often than the listing, and may be heard of before it.
CREATE TABLE calendars (
    listing_id   text      PRIMARY KEY,
    partition    smallint  NOT NULL,
    version      bigint    NOT NULL,
    first_day    integer   NOT NULL,
    taken        bytea     NOT NULL,
    price_days   integer[] NOT NULL,
    prices_minor bigint[]  NOT NULL
);

-- Where the indexer goes on, written in the transaction of the rows it has heard.
CREATE TABLE offsets (
    topic       text    NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint  NOT NULL,
    PRIMARY KEY (topic, partition)
);

-- migrate:down
DROP TABLE offsets;
DROP TABLE calendars;
DROP TABLE listings;
