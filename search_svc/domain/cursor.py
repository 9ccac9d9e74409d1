"""Page tokens: where the next page begins.

A page ends at the last candidate that was looked at, free or not, so nothing is skipped and nothing
comes twice. The token also says where the batch of candidates began that the page ended in: the
next page asks for the same batch, which is in the cache, and skips what is behind it.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from mesh.errors import Invalid
from search_svc.domain.listing import Position


class PageTokenInvalid(Invalid):
    """The page token is not one that we gave out."""

    reason = "PAGE_TOKEN_INVALID"


class PageTokenMismatch(Invalid):
    """The page token belongs to another search: dates, place and filters must stay the same."""

    reason = "PAGE_TOKEN_MISMATCH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A position between two candidates. None is before the first."""

    batch_after: Position | None = None
    """The batch has the candidates that come after this one."""
    seen: Position | None = None
    """The last candidate that was looked at."""

    def token(self, fingerprint: str) -> str:
        """Return the token for the caller, good for the search of that fingerprint only."""
        parts = [fingerprint, _values(self.batch_after), _values(self.seen)]
        text = json.dumps(parts, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def cursor_of(token: str, fingerprint: str) -> Cursor:
    """Read a token; the empty one is the beginning. Raise PageTokenInvalid, PageTokenMismatch."""
    if not token:
        return Cursor()
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        whose, batch_after, seen = json.loads(base64.b64decode(padded, b"-_", validate=True))
        cursor = Cursor(batch_after=_position(batch_after), seen=_position(seen))
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise PageTokenInvalid(
            "not a page token", violations=[("page_token", "is not one that was given out")]
        ) from error
    if whose != fingerprint:
        raise PageTokenMismatch(
            "the page token is of another search",
            violations=[("page_token", "the other fields must stay as they were")],
        )
    return cursor


def _values(position: Position | None) -> list[int | str] | None:
    return None if position is None else [position.rank, position.listing_id]


def _position(value: Any) -> Position | None:
    if value is None:
        return None
    rank, listing_id = value
    if type(rank) is not int or not 0 <= rank < 2**31 or not isinstance(listing_id, str):
        raise ValueError("not a position")
    if not listing_id.isalnum() and not listing_id.replace("_", "").isalnum():
        raise ValueError("not an id")
    return Position(rank, listing_id)
