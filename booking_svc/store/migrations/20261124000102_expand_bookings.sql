-- migrate:up
-- A price kept for 15 minutes, frozen line by line.
CREATE TABLE quotes (
    quote_id   text        PRIMARY KEY,
    listing_id text        NOT NULL,
    check_in   date        NOT NULL,
    check_out  date        NOT NULL,
    guests     integer     NOT NULL,
    price      jsonb       NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX quotes_expiry ON quotes (expires_at);

-- A stay. Its price, its policy and its time zone are frozen when it is made.
--   lease_until    while it is pending: a request (or a sweeper) is at work on it until then
--   settle_due_at  a cancellation whose money is not given back yet: when to try (again)
CREATE TABLE bookings (
    booking_id          text        PRIMARY KEY,
    listing_id          text        NOT NULL,
    host_id             text        NOT NULL,
    guest_id            text        NOT NULL,
    check_in            date        NOT NULL,
    check_out           date        NOT NULL,
    guests              integer     NOT NULL,
    status              text        NOT NULL
        CHECK (status IN ('pending', 'confirmed', 'checked_in', 'checked_out', 'cancelled')),
    payment_status      text        NOT NULL
        CHECK (payment_status IN ('pending', 'authorized', 'captured', 'refunded',
                                  'partially_refunded', 'failed')),
    confirmation_code   text,
    currency            text        NOT NULL,
    total_minor         bigint      NOT NULL CHECK (total_minor >= 0),
    price               jsonb       NOT NULL,
    cancellation_policy text        NOT NULL,
    time_zone           text        NOT NULL,
    listing_title       text        NOT NULL,
    hold_expires_at     timestamptz,
    lease_until         timestamptz,
    cancelled_by        text        CHECK (cancelled_by IN ('guest', 'host', 'system')),
    cancellation_reason text        NOT NULL DEFAULT '',
    decline_code        text        NOT NULL DEFAULT '',
    refund_minor        bigint      CHECK (refund_minor BETWEEN 0 AND total_minor),
    settle_due_at       timestamptz,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    CHECK (check_in < check_out),
    CHECK ((status = 'cancelled') = (cancelled_by IS NOT NULL)),
    CHECK ((status = 'pending') = (lease_until IS NOT NULL)),
    CHECK (status = 'cancelled' OR settle_due_at IS NULL),
    -- The last line: whatever else goes wrong, two stays in one home never overlap.
    CONSTRAINT bookings_no_overlap EXCLUDE USING gist
        (listing_id WITH =, daterange(check_in, check_out) WITH &&)
        WHERE (status IN ('pending', 'confirmed', 'checked_in'))
);
CREATE INDEX bookings_guest ON bookings (guest_id, check_in DESC, booking_id DESC);
CREATE INDEX bookings_host ON bookings (host_id, check_in DESC, booking_id DESC);
CREATE INDEX bookings_listing ON bookings (listing_id, check_out);
CREATE INDEX bookings_lease ON bookings (lease_until) WHERE status = 'pending';
CREATE INDEX bookings_settle ON bookings (settle_due_at) WHERE settle_due_at IS NOT NULL;

-- migrate:down
DROP TABLE bookings;
DROP TABLE quotes;
