"""Page tokens: where the next page begins, opaque to the caller."""

import base64
import binascii
from dataclasses import dataclass
from datetime import date
from typing import Final

from mesh.errors import Invalid

DEFAULT_SIZE: Final = 20


class PageTokenInvalid(Invalid):
    """The page token is not one that we gave out."""

    reason = "PAGE_TOKEN_INVALID"


@dataclass(frozen=True, slots=True, order=True)
class StayCursor:
    """The last booking of a page, latest check-in first."""

    check_in: date
    booking_id: str

    @property
    def token(self) -> str:
        """Return the token for the caller."""
        return _encode(self.check_in.isoformat(), self.booking_id)

    @classmethod
    def of(cls, token: str) -> "StayCursor | None":
        """Read a token; None for the empty one. Raise PageTokenInvalid."""
        if not token:
            return None
        try:
            day, booking_id = _decode(token)
            return cls(date.fromisoformat(day), booking_id)
        except ValueError as error:
            raise PageTokenInvalid("not a page token") from error


def listing_token(listing_id: str) -> str:
    """Return the token for the page after a listing."""
    return _encode(listing_id)


def listing_after(token: str) -> str | None:
    """Read a token of `listing_token`; None for the empty one. Raise PageTokenInvalid."""
    if not token:
        return None
    try:
        (listing_id,) = _decode(token)
    except ValueError as error:
        raise PageTokenInvalid("not a page token") from error
    return listing_id


def _encode(*parts: str) -> str:
    return base64.urlsafe_b64encode("|".join(parts).encode()).decode().rstrip("=")


def _decode(token: str) -> list[str]:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("not base64") from error
    if not text.isprintable() or "\0" in text:
        raise ValueError("not text of ours")
    return text.split("|")
