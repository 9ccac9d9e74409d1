"""How often a thing that can be guessed may be tried."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mesh.errors import Exhausted


class TooManyAttempts(Exhausted):
    """The limit for this address is used up; the same for addresses nobody has."""

    reason = "TOO_MANY_ATTEMPTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """At most `limit` attempts in a window that starts with the first of them."""

    action: str
    limit: int
    window: timedelta

    def check(self, count: int, since: datetime, now: datetime) -> None:
        """Raise TooManyAttempts when the attempt that made `count` is one too many.

        Attempts are counted before they are judged, so that a hundred at once are not a hundred.
        """
        if count > self.limit:
            left = (since + self.window - now).total_seconds()
            raise TooManyAttempts(
                "too many attempts for this address; wait, then try again",
                retry_after_seconds=max(1.0, left),
            )


LOG_IN: Final = Rule(action="log_in", limit=10, window=timedelta(minutes=15))
"""Failures: a success forgets them."""

SIGN_UP: Final = Rule(action="sign_up", limit=10, window=timedelta(hours=1))
"""Each sends a mail to somebody who may not want it."""
