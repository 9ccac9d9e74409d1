-- name: hold_stay
-- Hold the nights and book them as pending, or say why not; see the function's own words.
-- $1 booking as json  $2 calendar version  $3 fencing token or NULL
-- $4 topics  $5 keys  $6 kinds  $7 payloads  $8 headers
SELECT {shard}.hold_stay(
    $1::jsonb, $2::bigint, $3::bigint,
    $4::text[], $5::text[], $6::text[], $7::bytea[], $8::jsonb) AS outcome;

-- name: fence_floor
-- The last fencing token that wrote to a calendar: where a lock service without memory starts.
-- $1 listing
SELECT fence_token FROM {shard}.calendars WHERE listing_id = $1;

-- name: get_booking
-- A booking.  $1 id
SELECT booking_id, listing_id, host_id, guest_id, check_in, check_out, guests, status,
    payment_status, confirmation_code, price, cancellation_policy, time_zone, listing_title,
    hold_expires_at, cancelled_by, cancellation_reason, decline_code, refund_minor,
    created_at, updated_at
FROM {shard}.bookings WHERE booking_id = $1;

-- name: lease_booking
-- Take a pending booking to work on, if nobody is at it.  $1 id  $2 now  $3 until when
UPDATE {shard}.bookings SET lease_until = $3
WHERE booking_id = $1 AND status = 'pending' AND lease_until <= $2
RETURNING booking_id, listing_id, host_id, guest_id, check_in, check_out, guests, status,
    payment_status, confirmation_code, price, cancellation_policy, time_zone, listing_title,
    hold_expires_at, cancelled_by, cancellation_reason, decline_code, refund_minor,
    created_at, updated_at;

-- name: extend_lease
-- Keep a pending booking out of the sweeper's hands while its own request runs again.
-- $1 id  $2 until when
UPDATE {shard}.bookings SET lease_until = greatest(lease_until, $2)
WHERE booking_id = $1 AND status = 'pending'
RETURNING booking_id, listing_id, host_id, guest_id, check_in, check_out, guests, status,
    payment_status, confirmation_code, price, cancellation_policy, time_zone, listing_title,
    hold_expires_at, cancelled_by, cancellation_reason, decline_code, refund_minor,
    created_at, updated_at;

-- name: confirm_booking
-- Make a pending booking a confirmed one, and its held nights booked ones.
-- $1 id  $2 confirmation code  $3 payment status  $4 when
-- $5 topics  $6 keys  $7 kinds  $8 payloads  $9 headers
WITH booking AS (
    UPDATE {shard}.bookings
    SET status = 'confirmed', confirmation_code = $2, payment_status = $3, updated_at = $4,
        hold_expires_at = NULL, lease_until = NULL
    WHERE booking_id = $1 AND status = 'pending'
    RETURNING booking_id, listing_id, check_in, check_out
), taken AS (
    UPDATE {shard}.nights AS n SET status = 'booked'
    FROM booking AS b
    WHERE n.listing_id = b.listing_id AND n.night >= b.check_in AND n.night < b.check_out
      AND n.booking_id = b.booking_id
), told AS (
    INSERT INTO {shard}.outbox (topic, partition_key, kind, payload, headers)
    SELECT e.topic, e.key, e.kind, e.payload, $9::jsonb
    FROM booking, unnest($5::text[], $6::text[], $7::text[], $8::bytea[])
        AS e(topic, key, kind, payload)
)
SELECT booking_id FROM booking;

-- name: end_booking
-- Make a booking a cancelled one, if it still is in the state that this was decided on.
-- $1 id  $2 the state it was in  $3 payment status  $4 cancelled by  $5 reason  $6 decline code
-- $7 refund in minor units  $8 when its money is due to be settled, or NULL  $9 when
UPDATE {shard}.bookings
SET status = 'cancelled', payment_status = $3, cancelled_by = $4, cancellation_reason = $5,
    decline_code = $6, refund_minor = $7, settle_due_at = $8, updated_at = $9,
    hold_expires_at = NULL, lease_until = NULL
WHERE booking_id = $1 AND status = $2
RETURNING booking_id;

-- name: settle_booking
-- Note what became of a cancelled booking's money.  $1 id  $2 payment status  $3 when
-- $4 topics  $5 keys  $6 kinds  $7 payloads  $8 headers
WITH booking AS (
    UPDATE {shard}.bookings SET payment_status = $2, settle_due_at = NULL, updated_at = $3
    WHERE booking_id = $1 AND settle_due_at IS NOT NULL
    RETURNING booking_id
), told AS (
    INSERT INTO {shard}.outbox (topic, partition_key, kind, payload, headers)
    SELECT e.topic, e.key, e.kind, e.payload, $8::jsonb
    FROM booking, unnest($4::text[], $5::text[], $6::text[], $7::bytea[])
        AS e(topic, key, kind, payload)
)
SELECT booking_id FROM booking;

-- name: owe_settlement
-- Say that a cancelled booking's money is to be settled (again).  $1 id  $2 when it is due
UPDATE {shard}.bookings SET settle_due_at = $2
WHERE booking_id = $1 AND status = 'cancelled'
RETURNING booking_id;

-- name: claim_settlement
-- Take a settlement that is due, and put it off for whoever comes after us.
-- $1 id  $2 now  $3 when it is due again
UPDATE {shard}.bookings SET settle_due_at = $3
WHERE booking_id = $1 AND settle_due_at <= $2
RETURNING booking_id, listing_id, host_id, guest_id, check_in, check_out, guests, status,
    payment_status, confirmation_code, price, cancellation_policy, time_zone, listing_title,
    hold_expires_at, cancelled_by, cancellation_reason, decline_code, refund_minor,
    created_at, updated_at;

-- name: left_pending
-- Pending bookings of a shard that nobody is at work on.  $1 now  $2 how many at most
SELECT booking_id FROM {shard}.bookings
WHERE status = 'pending' AND lease_until <= $1
ORDER BY lease_until
LIMIT $2;

-- name: unsettled
-- Cancelled bookings of a shard whose money is due to be settled.  $1 now  $2 how many at most
SELECT booking_id FROM {shard}.bookings
WHERE settle_due_at <= $1
ORDER BY settle_due_at
LIMIT $2;

-- name: bookings_of_guest
-- A guest's bookings of one shard, latest check-in first.  $1 guest  $2 status or NULL
-- $3 and $4 only after this check-in and id, or NULL  $5 how many at most
SELECT booking_id, listing_id, host_id, guest_id, check_in, check_out, guests, status,
    payment_status, confirmation_code, price, cancellation_policy, time_zone, listing_title,
    hold_expires_at, cancelled_by, cancellation_reason, decline_code, refund_minor,
    created_at, updated_at
FROM {shard}.bookings
WHERE guest_id = $1 AND ($2::text IS NULL OR status = $2)
  AND ($3::date IS NULL OR (check_in, booking_id) < ($3, $4::text))
ORDER BY check_in DESC, booking_id DESC
LIMIT $5;

-- name: bookings_of_host
-- A host's bookings of one shard, latest check-in first, without those that were never confirmed
-- and are over: a guest's declined card is not the host's business.  $1 host  $2 status or NULL
-- $3 and $4 only after this check-in and id, or NULL  $5 how many at most
SELECT booking_id, listing_id, host_id, guest_id, check_in, check_out, guests, status,
    payment_status, confirmation_code, price, cancellation_policy, time_zone, listing_title,
    hold_expires_at, cancelled_by, cancellation_reason, decline_code, refund_minor,
    created_at, updated_at
FROM {shard}.bookings
WHERE host_id = $1 AND ($2::text IS NULL OR status = $2)
  AND (status <> 'cancelled' OR confirmation_code IS NOT NULL)
  AND ($3::date IS NULL OR (check_in, booking_id) < ($3, $4::text))
ORDER BY check_in DESC, booking_id DESC
LIMIT $5;
