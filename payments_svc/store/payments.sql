-- name: get_payment
-- Read a booking's payment.  $1 booking id
SELECT booking_id, payment_id, guest_id, payment_method_id, currency, amount_minor, state,
       processor_id, decline_code, captured_minor, refunded_minor, retain_minor,
       asked_at, updated_at, due_at, attempts, version
FROM {shard}.payments
WHERE booking_id = $1;

-- name: lock_payment
-- Read a booking's payment in order to change it.  $1 booking id
SELECT booking_id, payment_id, guest_id, payment_method_id, currency, amount_minor, state,
       processor_id, decline_code, captured_minor, refunded_minor, retain_minor,
       asked_at, updated_at, due_at, attempts, version
FROM {shard}.payments
WHERE booking_id = $1
FOR UPDATE;

-- name: put_payment
-- Write a payment, new or changed, with the event that tells it, in one round trip; what had
-- failed before is resolved once nothing is left to do.
-- $1 booking id  $2 payment id  $3 guest id  $4 payment method id  $5 currency  $6 amount
-- $7 state  $8 processor key  $9 processor id  $10 decline code  $11 captured  $12 refunded
-- $13 retain or null  $14 asked at  $15 updated at  $16 due at or null  $17 attempts  $18 version
-- $19 topic or null  $20 event kind  $21 event payload  $22 event headers
WITH put AS (
    INSERT INTO {shard}.payments AS p (
        booking_id, payment_id, guest_id, payment_method_id, currency, amount_minor, state,
        processor_key, processor_id, decline_code, captured_minor, refunded_minor, retain_minor,
        asked_at, updated_at, due_at, attempts, version
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
    ON CONFLICT (booking_id) DO UPDATE SET
        state = excluded.state,
        processor_id = excluded.processor_id,
        decline_code = excluded.decline_code,
        captured_minor = excluded.captured_minor,
        refunded_minor = excluded.refunded_minor,
        retain_minor = excluded.retain_minor,
        updated_at = excluded.updated_at,
        due_at = excluded.due_at,
        attempts = excluded.attempts,
        version = excluded.version
), resolved AS (
    UPDATE {shard}.failed_payments
    SET resolved_at = $15
    WHERE booking_id = $1 AND resolved_at IS NULL AND $16::timestamptz IS NULL
)
INSERT INTO {shard}.outbox (topic, partition_key, kind, payload, headers)
SELECT $19::text, $2, $20::text, $21::bytea, $22::jsonb
WHERE $19::text IS NOT NULL;

-- name: due_payments
-- Find payments that were left half-done.  $1 now  $2 how many of each shard
SELECT booking_id
FROM {shard}.payments
WHERE due_at <= $1
ORDER BY due_at
LIMIT $2;

-- name: claim_due
-- Take payments that were left half-done, for as long as the next try may take; nobody else gets
-- them meanwhile. The pause grows with each try, up to ten minutes.
-- $1 now  $2 how many  $3 the first pause, an interval
WITH due AS MATERIALIZED (
    SELECT booking_id
    FROM {shard}.payments
    WHERE due_at <= $1::timestamptz
    ORDER BY due_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
UPDATE {shard}.payments AS p
SET attempts = p.attempts + 1,
    due_at = $1::timestamptz + least($3::interval * power(2, p.attempts), interval '10 minutes')
FROM due
WHERE p.booking_id = due.booking_id
RETURNING p.booking_id, p.payment_id, p.guest_id, p.payment_method_id, p.currency,
          p.amount_minor, p.state, p.processor_id, p.decline_code, p.captured_minor,
          p.refunded_minor, p.retain_minor, p.asked_at, p.updated_at, p.due_at, p.attempts,
          p.version;
