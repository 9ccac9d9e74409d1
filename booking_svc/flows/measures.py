"""What the business counts."""

from typing import Final

from prometheus_client import Counter

ATTEMPTS: Final = Counter("booking_attempts", "Bookings tried.")
SUCCESSES: Final = Counter("booking_successes", "Bookings confirmed.")
FAILURES: Final = Counter(
    "booking_creation_failures_total", "Bookings that came to nothing, by reason.", ["reason"]
)
REVENUE: Final = Counter(
    "booking_revenue_total", "Totals of confirmed bookings, in whole units.", ["currency"]
)
