"""People and their roles."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mesh.errors import NotFound


class Role(StrEnum):
    """What a person may do; the values are the names in an access token."""

    GUEST = "guest"
    HOST = "host"
    ADMIN = "admin"


class UserNotFound(NotFound):
    """There is no such person, or the caller may not learn that there is."""

    reason = "USER_NOT_FOUND"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person. `email` is empty for one who was imported and cannot sign in."""

    user_id: str
    email: str
    first_name: str
    last_name: str
    roles: frozenset[Role]
    email_verified: bool
    superhost: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person with what proves them: `password_hash` in the PHC string format, or empty."""

    user: User
    password_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanged:
    """The person as they are now. `kind` is the event's, as in `user.created`."""

    kind: str
    user: User
    occurred_at: datetime


CREATED = "user.created"
VERIFIED = "user.verified"


def roles_of(*, host: bool) -> frozenset[Role]:
    """Return the roles of a new person: everybody is a guest, some are hosts as well."""
    return frozenset({Role.GUEST, Role.HOST} if host else {Role.GUEST})


def own_id(asked: str, caller: str) -> str:
    """Return the id of the profile asked for, which is the caller's own or `me`.

    Raise UserNotFound for anybody else's, whether or not it exists.
    """
    if asked not in ("me", caller):
        raise UserNotFound("no such user")
    return caller
