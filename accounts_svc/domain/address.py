"""E-mail addresses: when two are the same, and where one is looked up."""

import hashlib
import unicodedata
from dataclasses import dataclass
from typing import Final

from mesh.ids import BUCKETS, derive_id

_BUCKET_SHIFT: Final = 16 - (BUCKETS - 1).bit_length()


@dataclass(frozen=True, slots=True)
class Address:
    """A normalised e-mail address: two people cannot have the same one."""

    text: str

    @classmethod
    def of(cls, written: str) -> "Address":
        """Normalise an address as a person writes it: outer spaces and case say nothing.

        RFC 5321 lets the part before the @ differ by case; no provider of note does.
        """
        return cls(unicodedata.normalize("NFKC", written).strip().lower())

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 that the directory knows the address by; it keeps no plain ones."""
        return hashlib.sha256(self.text.encode()).digest()

    @property
    def bucket(self) -> int:
        """Return the bucket (0 to 4095) of the address's entry in the directory."""
        return int.from_bytes(self.digest[:2]) >> _BUCKET_SHIFT

    @property
    def nobody(self) -> str:
        """Return an id that no person has, to look up when the directory has no entry.

        Then an unknown address costs what a known one does.
        """
        return derive_id("usr", now_ms=0, bucket=self.bucket, seed=f"nobody\0{self.text}")
