"""People from elsewhere, whose ids follow from where they come from."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts_svc.domain.user import User, roles_of
from mesh.ids import BUCKETS, derive_id

_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedUser:
    """A person as the source knows them. E-mail and password only for those who can sign in."""

    source_id: str
    first_name: str
    host: bool
    superhost: bool
    email: str = ""
    password: str = ""

    @property
    def can_sign_in(self) -> bool:
        """Return whether both an address and a password are given."""
        return bool(self.password and _EMAIL.fullmatch(self.email))

    def user(self, source: str, email: str, now: datetime) -> User:
        """Return the person: proven when they have an address, for the source vouches for it."""
        return User(
            user_id=imported_id(source, self.source_id),
            email=email,
            first_name=self.first_name,
            last_name="",
            roles=roles_of(host=self.host),
            email_verified=bool(email),
            superhost=self.superhost,
            created_at=now,
        )


def imported_id(source: str, source_id: str) -> str:
    """Return the one id of a source's person; its time part is 0, for the source tells none."""
    seed = f"{source}\0{source_id}"
    bucket = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:2]) % BUCKETS
    return derive_id("usr", now_ms=0, bucket=bucket, seed=seed)
