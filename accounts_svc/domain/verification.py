"""Tokens that prove an e-mail address: 256 random bits, of which only a hash is kept."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts_svc.domain.user import Role
from mesh.errors import Invalid
from mesh.ids import BUCKETS

SECRET_BYTES: Final = 32
_BUCKET_BYTES: Final = 2


class VerificationTokenInvalid(Invalid):
    """The token was never given out, is too old, or another one was used instead."""

    reason = "VERIFICATION_TOKEN_INVALID"


@dataclass(frozen=True, slots=True)
class Token:
    """A token: the person's bucket, so that it finds its shard, and the secret."""

    bucket: int
    secret: bytes

    @property
    def text(self) -> str:
        """Return the token as it is sent: 46 characters of base64url."""
        raw = self.bucket.to_bytes(_BUCKET_BYTES) + self.secret
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 that is stored. The secret is random: no salt, no slow hash."""
        return hashlib.sha256(self.secret).digest()

    @classmethod
    def parse(cls, text: str) -> "Token":
        """Read a token as it was sent; raise VerificationTokenInvalid."""
        text = text.strip()
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise VerificationTokenInvalid("not a token of ours") from error
        bucket = int.from_bytes(raw[:_BUCKET_BYTES])
        if len(raw) != _BUCKET_BYTES + SECRET_BYTES or bucket >= BUCKETS:
            raise VerificationTokenInvalid("not a token of ours")
        return cls(bucket, raw[_BUCKET_BYTES:])


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSignUp:
    """One sign-up, waiting for the address to be proven.

    What it says of the person takes effect with its own token only. Two people can sign up with
    one address, but only one reads its mail: they get their own password, not the other's.
    """

    user_id: str
    email: str
    password_hash: str
    first_name: str
    last_name: str
    roles: frozenset[Role]
    token_digest: bytes
    created_at: datetime
    expires_at: datetime
