-- migrate:up
-- One payment for one booking, in the booking's bucket. It is written down before the card
-- processor is asked, so that whatever happens there can be found again.
CREATE TABLE payments (
    booking_id        text        PRIMARY KEY,
    payment_id        text        NOT NULL UNIQUE,
    guest_id          text        NOT NULL,
    payment_method_id text        NOT NULL,
    currency          text        NOT NULL,
    amount_minor      bigint      NOT NULL CHECK (amount_minor >= 0),
    state             text        NOT NULL CHECK (state IN (
        'pending', 'authorized', 'requires_action', 'declined', 'captured', 'settling',
        'voided', 'refunded', 'partially_refunded', 'closed'
    )),
    -- The idempotency key under which the processor is asked to authorize.
    processor_key     text        NOT NULL,
    processor_id      text        NOT NULL DEFAULT '',
    decline_code      text        NOT NULL DEFAULT '',
    captured_minor    bigint      NOT NULL DEFAULT 0,
    refunded_minor    bigint      NOT NULL DEFAULT 0,
    -- What a settlement keeps; null until one is decided.
    retain_minor      bigint      CHECK (retain_minor BETWEEN 0 AND amount_minor),
    asked_at          timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    -- When somebody else is to finish it, if the call that began it has not.
    due_at            timestamptz,
    attempts          integer     NOT NULL DEFAULT 0,
    version           bigint      NOT NULL,
    CHECK (captured_minor BETWEEN 0 AND amount_minor),
    CHECK (refunded_minor BETWEEN 0 AND captured_minor),
    -- Nothing stays half-done without a time at which it is taken up again.
    CHECK ((due_at IS NOT NULL) = (state IN ('pending', 'settling')))
);
CREATE INDEX payments_due ON payments (due_at) WHERE due_at IS NOT NULL;

-- Steps that three tries did not get done, for an operator to look at. They are still tried.
CREATE TABLE failed_payments (
    booking_id      text        NOT NULL REFERENCES payments,
    step            text        NOT NULL,
    reason          text        NOT NULL,
    message         text        NOT NULL,
    failures        integer     NOT NULL DEFAULT 1,
    first_failed_at timestamptz NOT NULL,
    last_failed_at  timestamptz NOT NULL,
    resolved_at     timestamptz,
    PRIMARY KEY (booking_id, step)
);
CREATE INDEX failed_payments_open ON failed_payments (last_failed_at) WHERE resolved_at IS NULL;

-- migrate:down
DROP TABLE failed_payments;
DROP TABLE payments;
