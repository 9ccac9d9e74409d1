-- name: note_failure
-- Note that a step could not be done, once more.
-- $1 booking id  $2 step  $3 reason  $4 message  $5 now
INSERT INTO {shard}.failed_payments AS f (
    booking_id, step, reason, message, first_failed_at, last_failed_at
)
VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT (booking_id, step) DO UPDATE SET
    reason = excluded.reason,
    message = excluded.message,
    failures = f.failures + 1,
    last_failed_at = excluded.last_failed_at,
    resolved_at = NULL;
