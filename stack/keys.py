"""Make the signing keys of a data folder: one for users' tokens, one for each service's own.

All private keys are Ed25519, in PEM files that only their owner may read; the public halves are
JWKS files, which every service reads.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mesh.rpc.keys import jwk_of, read_private_key, thumbprint

IDENTITIES = ("accounts", "booking", "payments", "reviews", "search", "stack")


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Where the key files of a data folder are."""

    folder: Path

    @property
    def token_key(self) -> Path:
        """The private key that accounts signs users' tokens with."""
        return self.folder / "tokens.pem"

    @property
    def token_jwks(self) -> Path:
        return self.folder / "tokens.jwks.json"

    @property
    def service_jwks(self) -> Path:
        return self.folder / "services.jwks.json"

    def service_key(self, identity: str) -> Path:
        """Return the private key that this service proves itself with."""
        return self.folder / f"{identity}.pem"


def make(folder: Path) -> Keys:
    """Make the keys that are missing and write the public halves of all."""
    keys = Keys(folder=folder)
    folder.mkdir(mode=0o700, exist_ok=True)
    token = _key(keys.token_key)
    _publish(keys.token_jwks, [jwk_of(token.public_key(), thumbprint(token.public_key()))])
    services = {name: _key(keys.service_key(name)) for name in IDENTITIES}
    _publish(keys.service_jwks, [jwk_of(key.public_key(), name) for name, key in services.items()])
    return keys


def _key(path: Path) -> Ed25519PrivateKey:
    if path.exists():
        return read_private_key(path)
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(path, pem)
    return key


def _publish(path: Path, jwks: list[dict[str, str]]) -> None:
    _write(path, json.dumps({"keys": jwks}, indent=1).encode())


def _write(path: Path, content: bytes) -> None:
    """Write the file under another name and rename it: a half-written key is never read."""
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
    draft.replace(path)
