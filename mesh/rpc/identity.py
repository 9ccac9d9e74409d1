"""Who is who: tokens of people, signed by accounts, and tokens of services, signed by themselves.

Both are JWTs by Ed25519 (RFC 8037), told apart by `typ`, so that one can never pass for the other.
The algorithm is pinned, the key is chosen from our own files by `kid` alone (a `jwk`, `jku` or
`x5u` in the header is not looked at), and `iss`, `aud`, `exp`, `nbf` and `sub` must be there.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mesh.aio.context import Principal
from mesh.clock import Clock, SystemClock
from mesh.errors import Unauthenticated
from mesh.rpc.keys import KeySet

if TYPE_CHECKING:
    from jwt.types import Options

USER_ISSUER = "https://accounts.staymesh"
USER_AUDIENCE = "staymesh"
USER_TYPE = "at+jwt"  # RFC 9068
SERVICE_AUDIENCE = "staymesh-internal"
SERVICE_TYPE = "svc+jwt"
SERVICE_TOKEN_LIFE = timedelta(minutes=5)
SERVICE_TOKEN_RENEWAL = timedelta(minutes=1)
"""A service token is minted anew when this much of its life is left."""

ALGORITHM = "EdDSA"
MAX_TOKEN_LENGTH = 4096
# How far back `nbf` is set: the clocks of two machines may differ by this much.
_SKEW = timedelta(seconds=30)
_CACHED_TOKENS = 10_000
# The times are ours to check: against our clock, and again at each use of the cache.
_OPTIONS: "Options" = {
    "require": ["iss", "aud", "sub", "exp", "nbf"],
    "strict_aud": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


class TokenInvalid(Unauthenticated):
    """The token is not one of ours, or not for us."""

    reason = "TOKEN_INVALID"


class TokenExpired(Unauthenticated):
    """The token was good once."""

    reason = "TOKEN_EXPIRED"


def sign_user_token(
    key: Ed25519PrivateKey,
    key_id: str,
    principal: Principal,
    *,
    clock: Clock,
    life: timedelta,
) -> str:
    """Return an access token for `principal`, as `UserTokens` reads it back: for accounts alone."""
    claims = {
        "iss": USER_ISSUER,
        "aud": USER_AUDIENCE,
        "sub": principal.user_id,
        "roles": sorted(principal.roles),
        "sid": principal.session_id,
    }
    return _sign(key, key_id, USER_TYPE, claims, clock=clock, life=life)


class ServiceIdentity:
    """A service's own name and key; its tokens are minted here and kept while they are fresh."""

    def __init__(self, name: str, key: Ed25519PrivateKey, clock: Clock | None = None) -> None:
        self.name = name
        self._key = key
        self._clock = clock or SystemClock()
        self._token = ""
        self._renew_at = 0.0

    def token(self) -> str:
        """Return a token that is good for another minute at least."""
        now = self._clock.now()
        if now.timestamp() >= self._renew_at:
            claims = {"iss": self.name, "sub": self.name, "aud": SERVICE_AUDIENCE}
            life = SERVICE_TOKEN_LIFE
            self._token = _sign(
                self._key, self.name, SERVICE_TYPE, claims, clock=self._clock, life=life
            )
            self._renew_at = (now + life - SERVICE_TOKEN_RENEWAL).timestamp()
        return self._token


class UserTokens:
    """Verify access tokens of people."""

    def __init__(self, keys: KeySet, clock: Clock | None = None) -> None:
        self._verified = _Verified(self._check, clock or SystemClock())
        self._keys = keys

    def verify(self, token: str) -> Principal:
        """Return who the token speaks for. Raise TokenInvalid or TokenExpired."""
        return self._verified.get(token)

    def _check(self, token: str) -> tuple[Principal, dict[str, Any]]:
        header = _header(token, USER_TYPE)
        claims = _claims(token, header, self._keys, audience=USER_AUDIENCE, issuer=USER_ISSUER)
        roles = claims.get("roles", [])
        if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
            raise TokenInvalid("the token's roles are not a list of names")
        return Principal(claims["sub"], frozenset(roles), str(claims.get("sid", ""))), claims


class ServiceTokens:
    """Verify tokens of services: a service signs for itself alone, so `kid`, `iss`, `sub` agree."""

    def __init__(self, keys: KeySet, clock: Clock | None = None) -> None:
        self._verified = _Verified(self._check, clock or SystemClock())
        self._keys = keys

    def verify(self, token: str) -> str:
        """Return the name of the calling service. Raise TokenInvalid or TokenExpired."""
        return self._verified.get(token)

    def _check(self, token: str) -> tuple[str, dict[str, Any]]:
        header = _header(token, SERVICE_TYPE)
        name = header["kid"]
        claims = _claims(token, header, self._keys, audience=SERVICE_AUDIENCE, issuer=name)
        if claims["sub"] != name:
            raise TokenInvalid("a service may only name itself")
        return name, claims


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[T]):
    value: T
    not_before: float
    expires: float


class _Verified(Generic[T]):
    """Signatures checked already, by token; the times are checked at each use.

    A refused token is not kept: an attacker could otherwise push the good ones out.
    """

    def __init__(self, check: Callable[[str], tuple[T, dict[str, Any]]], clock: Clock) -> None:
        self._check = check
        self._clock = clock
        self._entries: OrderedDict[str, _Entry[T]] = OrderedDict()

    def get(self, token: str) -> T:
        if len(token) > MAX_TOKEN_LENGTH:
            raise TokenInvalid("the token is too long")
        entry = self._entries.get(token)
        now = self._clock.now().timestamp()
        if entry is None:
            value, claims = self._check(token)
            entry = _Entry(value, _instant(claims, "nbf"), _instant(claims, "exp"))
            _in_time(entry, now)
            self._entries[token] = entry
            if len(self._entries) > _CACHED_TOKENS:
                self._entries.popitem(last=False)
            return entry.value
        if now >= entry.expires:
            del self._entries[token]
        _in_time(entry, now)
        self._entries.move_to_end(token)
        return entry.value


def _in_time(entry: _Entry[T], now: float) -> None:
    if now >= entry.expires:
        raise TokenExpired("the token has expired")
    if now < entry.not_before:
        raise TokenInvalid("the token is not valid yet")


def _instant(claims: dict[str, Any], name: str) -> float:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise TokenInvalid(f"the token's {name} is not a whole number of seconds")
    return float(value)


def _sign(
    key: Ed25519PrivateKey,
    key_id: str,
    token_type: str,
    claims: dict[str, Any],
    *,
    clock: Clock,
    life: timedelta,
) -> str:
    now = clock.now()
    times = {
        "iat": int(now.timestamp()),
        "nbf": int((now - _SKEW).timestamp()),
        "exp": int((now + life).timestamp()),
    }
    return jwt.encode(
        claims | times, key, algorithm=ALGORITHM, headers={"kid": key_id, "typ": token_type}
    )


def _header(token: str, token_type: str) -> dict[str, str]:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError) as error:
        raise TokenInvalid("not a token") from error
    if header.get("alg") != ALGORITHM or header.get("typ") != token_type:
        raise TokenInvalid("not a token of the kind this call takes")
    if not isinstance(header.get("kid"), str):
        raise TokenInvalid("the token names no key")
    return header


def _claims(
    token: str, header: dict[str, str], keys: KeySet, *, audience: str, issuer: str
) -> dict[str, Any]:
    key = keys.get(header["kid"])
    if key is None:
        raise TokenInvalid("the token is signed by an unknown key")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=issuer,
            options=_OPTIONS,
        )
    except (jwt.InvalidTokenError, ValueError) as error:
        raise TokenInvalid("the token is not valid") from error
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise TokenInvalid("the token names nobody")
    return claims
