"""Page tokens: where the next page begins, opaque to the caller."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from mesh.errors import Invalid, MeshError
from mesh.ids import parse
from reviews_svc.domain.review import Review

DEFAULT_SIZE: Final = 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class PageTokenInvalid(Invalid):
    """The page token is not one that we gave out."""

    reason = "PAGE_TOKEN_INVALID"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last review of a page, newest first."""

    published_at: datetime
    review_id: str

    @classmethod
    def after(cls, review: Review) -> "Cursor":
        """Return the place just after a review."""
        return cls(review.published_at, review.review_id)

    @property
    def token(self) -> str:
        """Return the token for the caller."""
        micros = (self.published_at - _EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(f"{micros}:{self.review_id}".encode()).decode()

    @classmethod
    def of(cls, token: str) -> "Cursor | None":
        """Read a token; None for the empty one. Raise PageTokenInvalid."""
        if not token:
            return None
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True).decode()
            micros, _, review_id = raw.partition(":")
            parse(review_id, "rev")
            return cls(_EPOCH + timedelta(microseconds=int(micros)), review_id)
        except (binascii.Error, ValueError, OverflowError, MeshError) as error:
            raise PageTokenInvalid("not a page token of ours") from error
