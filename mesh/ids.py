"""Typed, time-ordered ids that say which shard they live in.

An id is `prefix_` and 26 lowercase Crockford base32 characters, 130 bits: 48 of milliseconds
since 1970, 12 of bucket, 70 random. Text order is time order, then bucket order.
"""

import hashlib
import secrets
from typing import Final, NamedTuple

from mesh.errors import Invalid

BUCKETS: Final = 4096
SHARDS: Final = 16

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUE: Final = {c: i for i, c in enumerate(_ALPHABET)}
_LENGTH: Final = 26
_RANDOM_BITS: Final = 70
_BUCKET_BITS: Final = 12
_TIME_BITS: Final = 48
ENTROPY_BYTES: Final = 9
"""Bytes of entropy an id takes; the two bits beyond 70 are dropped."""


class InvalidId(Invalid):
    """Not an id of ours, or not one of the kind asked for."""

    reason = "INVALID_ID"


class Parts(NamedTuple):
    """What an id says."""

    prefix: str
    ms: int
    bucket: int
    random: int


def new_id(
    prefix: str, *, now_ms: int, bucket: int | None = None, entropy: bytes | None = None
) -> str:
    """Make an id created at `now_ms` in `bucket` (0 to 4095; None draws one at random).

    `entropy` (9 bytes or more) replaces the system's randomness, for seeded worlds and tests.
    Raise ValueError when a part is out of range.
    """
    if bucket is None:
        bucket = secrets.randbelow(BUCKETS)
    return _compose(prefix, now_ms, bucket, entropy or secrets.token_bytes(ENTROPY_BYTES))


def derive_id(prefix: str, *, now_ms: int, bucket: int, seed: str) -> str:
    """Make the one id that `prefix`, `now_ms`, `bucket` and `seed` always give.

    Its random part is a SHA-256 of the prefix and seed, so a seed that names one attempt of one
    call names one object.
    """
    digest = hashlib.sha256(f"{prefix}\0{seed}".encode()).digest()
    return _compose(prefix, now_ms, bucket, digest)


def parse(text: str, prefix: str) -> Parts:
    """Take apart an id that must start with `prefix`; raise InvalidId otherwise."""
    parts = _decode(text)
    if parts.prefix != prefix:
        raise InvalidId(f"an id starting with {prefix}_ is needed")
    return parts


def bucket_of(text: str) -> int:
    """Return the bucket (0 to 4095) in any id of ours; raise InvalidId when it is not one."""
    return _decode(text).bucket


def shard_of(text: str) -> int:
    """Return the logical shard (0 to 15) of any id of ours; raise InvalidId when it is not one."""
    return _decode(text).bucket >> 8


def _compose(prefix: str, ms: int, bucket: int, entropy: bytes) -> str:
    if not (prefix.isascii() and prefix.isalpha() and prefix.islower()):
        raise ValueError(f"a prefix is lowercase letters, not {prefix!r}")
    if not 0 <= ms < 1 << _TIME_BITS or not 0 <= bucket < BUCKETS:
        raise ValueError(f"out of range: ms={ms} bucket={bucket}")
    if len(entropy) < ENTROPY_BYTES:
        raise ValueError(f"{ENTROPY_BYTES} bytes of entropy are needed, not {len(entropy)}")
    random = int.from_bytes(entropy[:ENTROPY_BYTES]) >> (8 * ENTROPY_BYTES - _RANDOM_BITS)
    number = ((ms << _BUCKET_BITS | bucket) << _RANDOM_BITS) | random
    return prefix + "_" + "".join(_ALPHABET[number >> s & 31] for s in range(125, -1, -5))


def _decode(text: str) -> Parts:
    prefix, _, body = text.partition("_")
    if len(body) != _LENGTH or not (prefix.isascii() and prefix.isalpha() and prefix.islower()):
        raise InvalidId("not an id")
    number = 0
    for c in body:
        value = _VALUE.get(c)
        if value is None:
            # Crockford's spellings (I for 1, upper case) are refused: one object, one text.
            raise InvalidId("not an id")
        number = number << 5 | value
    return Parts(
        prefix,
        number >> (_RANDOM_BITS + _BUCKET_BITS),
        number >> _RANDOM_BITS & (BUCKETS - 1),
        number & ((1 << _RANDOM_BITS) - 1),
    )
