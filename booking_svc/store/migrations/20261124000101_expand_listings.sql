-- migrate:up
-- A home. Amounts are minor units of `currency`. `version` is the etag and grows by one with each
-- change. `public_lat` and `public_lng` are the steady point near the home that guests are shown;
-- its offset is drawn at random once, so nothing else in the row gives the way back.
CREATE TABLE listings (
    listing_id          text             PRIMARY KEY,
    host_id             text             NOT NULL,
    status              text             NOT NULL
        CHECK (status IN ('draft', 'active', 'inactive', 'suspended')),
    version             bigint           NOT NULL DEFAULT 1,
    title               text             NOT NULL DEFAULT '',
    description         text             NOT NULL DEFAULT '',
    property_type       text             NOT NULL DEFAULT ''
        CHECK (property_type IN ('', 'apartment', 'house', 'villa', 'room')),
    street              text             NOT NULL DEFAULT '',
    city                text             NOT NULL DEFAULT '',
    state               text             NOT NULL DEFAULT '',
    country_code        text             NOT NULL DEFAULT '',
    postal_code         text             NOT NULL DEFAULT '',
    lat                 double precision,
    lng                 double precision,
    public_lat          double precision,
    public_lng          double precision,
    time_zone           text             NOT NULL DEFAULT '',
    max_guests          integer          NOT NULL DEFAULT 0,
    bedrooms            integer,
    beds                integer,
    bathrooms           double precision,
    amenities           text[]           NOT NULL DEFAULT '{}',
    currency            text             NOT NULL DEFAULT '',
    base_price_minor    bigint           NOT NULL DEFAULT 0 CHECK (base_price_minor >= 0),
    weekend_price_minor bigint           CHECK (weekend_price_minor >= 0),
    cleaning_fee_minor  bigint           NOT NULL DEFAULT 0 CHECK (cleaning_fee_minor >= 0),
    min_nights          integer          NOT NULL DEFAULT 1,
    max_nights          integer          NOT NULL DEFAULT 365,
    instant_book        boolean          NOT NULL DEFAULT false,
    cancellation_policy text             NOT NULL DEFAULT 'flexible'
        CHECK (cancellation_policy IN ('flexible', 'moderate', 'strict')),
    check_in_time       text             NOT NULL DEFAULT '15:00',
    check_out_time      text             NOT NULL DEFAULT '11:00',
    rating              double precision NOT NULL DEFAULT 0,
    review_count        integer          NOT NULL DEFAULT 0,
    superhost           boolean          NOT NULL DEFAULT false,
    created_at          timestamptz      NOT NULL,
    updated_at          timestamptz      NOT NULL,
    deleted_at          timestamptz
);
-- A host's listings, newest first: ids are time-ordered.
CREATE INDEX listings_host ON listings (host_id, listing_id DESC) WHERE deleted_at IS NULL;

-- One row a listing: the last fencing token that wrote, and how often the calendar has changed.
CREATE TABLE calendars (
    listing_id  text   PRIMARY KEY,
    fence_token bigint NOT NULL DEFAULT 0,
    version     bigint NOT NULL DEFAULT 0
);

-- Only nights that differ from the default, which is: free, at the listing's own price.
-- A status of NULL is a free night with a price of its own.
CREATE TABLE nights (
    listing_id  text   NOT NULL,
    night       date   NOT NULL,
    status      text   CHECK (status IN ('blocked', 'held', 'booked')),
    booking_id  text,
    price_minor bigint CHECK (price_minor > 0),
    notes       text,
    PRIMARY KEY (listing_id, night),
    CHECK ((booking_id IS NOT NULL) = (status IS NOT NULL AND status IN ('held', 'booked'))),
    CHECK (status IS NOT NULL OR price_minor IS NOT NULL)
);

-- Which listing an imported home became, so that importing twice changes nothing.
CREATE TABLE import_sources (
    source     text NOT NULL,
    source_id  text NOT NULL,
    listing_id text NOT NULL,
    PRIMARY KEY (source, source_id)
);

-- migrate:down
DROP TABLE import_sources;
DROP TABLE nights;
DROP TABLE calendars;
DROP TABLE listings;
