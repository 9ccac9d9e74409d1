"""Ed25519 keys as files: PEM to sign with, JWKS to verify with.

A JWKS file is read again when a token names an unknown key, so that a key can be rotated without a
restart; at most every few seconds, so that made-up key names cost nothing.
"""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

RELOAD_SECONDS = 5.0


class KeyFileError(Exception):
    """A key file cannot be used; the message says which and why, never what is in it."""


class KeySet:
    """Public keys by key id."""

    def __init__(
        self,
        keys: Mapping[str, Ed25519PublicKey],
        reload: Callable[[], Mapping[str, Ed25519PublicKey]] | None = None,
    ) -> None:
        self._keys = dict(keys)
        self._reload = reload
        self._reloaded_at = time.monotonic()

    @classmethod
    def from_file(cls, path: Path) -> "KeySet":
        """Read a JWKS file. Raise KeyFileError when it is missing, not a JWKS, or not Ed25519."""
        return cls(_read_jwks(path), lambda: _read_jwks(path))

    def get(self, key_id: str) -> Ed25519PublicKey | None:
        """Return the key named `key_id`; None when there is none, also after a fresh look."""
        key = self._keys.get(key_id)
        if key is None and self._reload and time.monotonic() - self._reloaded_at > RELOAD_SECONDS:
            self._reloaded_at = time.monotonic()
            try:
                self._keys = dict(self._reload())
            except KeyFileError:
                return None  # half-written: the keys known so far stay good
            key = self._keys.get(key_id)
        return key


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """Read an unencrypted PEM file. Raise KeyFileError when it holds no Ed25519 private key."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise KeyFileError(f"{path}: no private key: {type(error).__name__}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: not an Ed25519 key")
    return key


def jwk_of(key: Ed25519PublicKey, key_id: str) -> dict[str, str]:
    """Return the public JWK of `key`, as a JWKS file lists it."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key_id, "x": x}


def thumbprint(key: Ed25519PublicKey) -> str:
    """Return the key's own name (RFC 7638): SHA-256 over the required members, in order."""
    jwk = jwk_of(key, "")
    required = {name: jwk[name] for name in ("crv", "kty", "x")}
    digest = hashlib.sha256(json.dumps(required, separators=(",", ":")).encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _read_jwks(path: Path) -> dict[str, Ed25519PublicKey]:
    try:
        listed: list[dict[str, Any]] = json.loads(path.read_text())["keys"]
        return {str(jwk["kid"]): _public_key(jwk) for jwk in listed}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeyFileError(f"{path}: not a JWKS of Ed25519 keys: {error}") from error


def _public_key(jwk: Mapping[str, Any]) -> Ed25519PublicKey:
    if (jwk["kty"], jwk["crv"]) != ("OKP", "Ed25519"):
        raise ValueError(f"key {jwk['kid']} is not Ed25519")
    x = str(jwk["x"])
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(x + "=" * (-len(x) % 4)))
