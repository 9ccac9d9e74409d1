"""Sessions: one for each log-in, named in its access token."""

from dataclasses import dataclass
from datetime import datetime

from mesh.errors import FailedPrecondition, Unauthenticated


class InvalidCredentials(Unauthenticated):
    """The address has no account or the password is another; which, is not told."""

    reason = "INVALID_CREDENTIALS"


class EmailNotVerified(FailedPrecondition):
    """The password is right and the address is not proven yet."""

    reason = "EMAIL_NOT_VERIFIED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A log-in. It ends at `expires_at`, or when it is revoked."""

    session_id: str
    user_id: str
    created_at: datetime
    expires_at: datetime
