"""Tokens that are not exactly ours are refused."""

import base64
import functools
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mesh.clock import FixedClock
from mesh.rpc import keys as key_files
from mesh.rpc.auth import bearer
from mesh.rpc.identity import (
    MAX_TOKEN_LENGTH,
    ServiceTokens,
    TokenExpired,
    TokenInvalid,
    UserTokens,
)
from mesh.rpc.keys import KeyFileError, KeySet, jwk_of, read_private_key
from mesh.testing import USER_KEY_ID, Keyring

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def ring(clock: FixedClock) -> Keyring:
    return Keyring(clock)


@pytest.fixture
def users(ring: Keyring, clock: FixedClock) -> UserTokens:
    return UserTokens(KeySet({USER_KEY_ID: ring.user_key.public_key()}), clock)


@pytest.fixture
def services(ring: Keyring, clock: FixedClock) -> ServiceTokens:
    names = ("booking", "search")
    return ServiceTokens(KeySet({n: ring.service_key(n).public_key() for n in names}), clock)


def forged(key: Ed25519PrivateKey, *, header: Any = None, **changes: Any) -> str:
    """Sign a user's token with some of it changed; None takes a claim away."""
    claims: dict[str, Any] = {
        "iss": "https://accounts.staymesh",
        "aud": "staymesh",
        "sub": "usr_1",
        "roles": ["host"],
        "sid": "ses_1",
        "iat": SECONDS,
        "nbf": SECONDS,
        "exp": SECONDS + 60,
    } | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    headers = {"kid": USER_KEY_ID, "typ": "at+jwt"} | (header or {})
    return jwt.encode(claims, key, algorithm="EdDSA", headers=headers)


def unsigned(header: dict[str, str], claims: dict[str, Any], sign: Any = lambda _: b"") -> str:
    parts = [json.dumps(part).encode() for part in (header, claims)]
    body = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = base64.urlsafe_b64encode(sign(body)).rstrip(b"=")
    return (body + b"." + signature).decode()


def _hmac(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, body, hashlib.sha256)


def test_a_good_token_says_who_calls(ring: Keyring, users: UserTokens) -> None:
    principal = users.verify(ring.user_token("usr_9", {"host"}, session_id="ses_9"))
    assert (principal.user_id, principal.roles) == ("usr_9", {"host"})
    assert principal.session_id == "ses_9"
    assert users.verify(forged(ring.user_key)).user_id == "usr_1"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "staymesh-internal"},
        {"aud": ["staymesh", "other"]},
        {"aud": None},
        {"iss": "https://accounts.example"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"exp": None},
        {"nbf": None},
        {"nbf": SECONDS + 1},
        {"exp": "tomorrow"},
        {"exp": True},
        {"nbf": True},
        {"roles": "admin"},
        {"roles": [1]},
        {"header": {"typ": "JWT"}},
        {"header": {"typ": "svc+jwt"}},
        {"header": {"kid": "unknown"}},
        {"header": {"crit": ["exp"]}},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_us_is_refused(
    ring: Keyring, users: UserTokens, changes: dict[str, Any]
) -> None:
    with pytest.raises(TokenInvalid):
        users.verify(forged(ring.user_key, **changes))


def test_a_token_ends_to_the_second(ring: Keyring, users: UserTokens, clock: FixedClock) -> None:
    token = forged(ring.user_key)
    clock.set(NOW + timedelta(seconds=59))
    users.verify(token)
    clock.set(NOW + timedelta(seconds=60))
    for _ in range(2):  # known from the cache, then unknown again
        with pytest.raises(TokenExpired):
            users.verify(token)


def test_a_key_of_ones_own_in_the_header_is_not_looked_at(users: UserTokens) -> None:
    mine = Ed25519PrivateKey.generate()
    for header in (
        {"jwk": jwk_of(mine.public_key(), USER_KEY_ID)},
        {"jku": "https://evil.example/jwks.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {},
    ):
        with pytest.raises(TokenInvalid):
            users.verify(forged(mine, header=header))


def test_other_algorithms_are_refused(ring: Keyring, users: UserTokens) -> None:
    claims = jwt.decode(forged(ring.user_key), options={"verify_signature": False})
    public = ring.user_key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    header = {"kid": USER_KEY_ID, "typ": "at+jwt"}
    tokens = [unsigned(header | {"alg": alg}, claims) for alg in ("none", "None", "NONE", "EdDSA")]
    for secret in (pem, raw):  # the public key used as a shared secret
        sign = functools.partial(_hmac, secret)
        tokens.append(unsigned(header | {"alg": "HS256"}, claims, sign))
    for token in tokens:
        with pytest.raises(TokenInvalid):
            users.verify(token)


def test_a_changed_token_is_refused_whatever_was_changed(ring: Keyring, users: UserTokens) -> None:
    token = forged(ring.user_key)
    users.verify(token)
    head, claims, signature = token.split(".")
    other = forged(ring.user_key, sub="usr_2").split(".")
    for wrong in (
        f"{head}.{other[1]}.{signature}",
        f"{head}.{claims}.{other[2]}",
        f"{head}.{claims}.",
        f"{head}.{claims}",
        f"{token}.x",
        token[:-5],
        "",
        "x" * (MAX_TOKEN_LENGTH + 1),
        "é.ü.ß",
        "\ud800",
    ):
        with pytest.raises(TokenInvalid):
            users.verify(wrong)


def test_a_service_speaks_for_itself_alone(ring: Keyring, services: ServiceTokens) -> None:
    key = ring.service_key("booking")
    good = {"iss": "booking", "sub": "booking", "aud": "staymesh-internal"}
    header = {"kid": "booking", "typ": "svc+jwt"}
    assert services.verify(ring.identity("booking").token()) == "booking"
    assert services.verify(forged(key, header=header, **good)) == "booking"
    for changes in (
        {"iss": "search", "sub": "search"},
        {"sub": "search"},
        {"aud": "staymesh"},
        {"header": {"kid": "search", "typ": "svc+jwt"}, "iss": "search", "sub": "search"},
        {"header": {"kid": "booking", "typ": "at+jwt"}},
    ):
        with pytest.raises(TokenInvalid):
            services.verify(forged(key, **({"header": header} | good | changes)))


def test_a_users_token_is_no_services_token_and_the_other_way_round(
    ring: Keyring, users: UserTokens, services: ServiceTokens
) -> None:
    with pytest.raises(TokenInvalid):
        services.verify(ring.user_token("usr_1"))
    with pytest.raises(TokenInvalid):
        users.verify(ring.identity("booking").token())


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic dXNlcg==", "token"])
def test_only_a_bearer_token_is_taken(header: str) -> None:
    with pytest.raises(TokenInvalid):
        bearer(header)


def test_a_rotated_key_is_found_in_the_file(
    ring: Keyring, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring.write(tmp_path, "booking")
    users = UserTokens(KeySet.from_file(tmp_path / "jwks.json"), clock)
    users.verify(forged(ring.user_key))

    fresh = Ed25519PrivateKey.generate()
    listed = [jwk_of(ring.user_key.public_key(), USER_KEY_ID), jwk_of(fresh.public_key(), "new")]
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": listed}))
    token = forged(fresh, header={"kid": "new"})
    with pytest.raises(TokenInvalid):
        users.verify(token)  # read a moment ago: made-up key ids must not cost a read each
    monkeypatch.setattr(key_files, "RELOAD_SECONDS", -1.0)
    assert users.verify(token).user_id == "usr_1"
    (tmp_path / "jwks.json").write_text("{half-writ")
    with pytest.raises(TokenInvalid):
        users.verify(forged(fresh, header={"kid": "newer"}))
    assert users.verify(forged(fresh, header={"kid": "new"}, sid="2")).session_id == "2"


@pytest.mark.parametrize("content", ["", "{}", '{"keys": [{"kid": "a", "kty": "RSA"}]}', "[]"])
def test_a_file_that_is_no_jwks_is_named_in_the_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(content)
    with pytest.raises(KeyFileError, match=r"jwks\.json"):
        KeySet.from_file(path)
    with pytest.raises(KeyFileError, match=r"jwks\.json"):
        read_private_key(path)
    with pytest.raises(KeyFileError, match="missing"):
        read_private_key(tmp_path / "missing.pem")
