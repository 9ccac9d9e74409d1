"""Which passwords are refused: the ones a guesser tries first.

NIST SP 800-63B and OWASP ASVS 5.0 (6.2): no rules of composition, 8 to 128 characters (the contract
holds those), and no password that is common, a pattern, or about the person or the service.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from accounts_svc.domain.weak_words import WALKS, WORDS
from mesh.errors import Invalid

_LEET: Final = str.maketrans("01345789@$!+|", "oleastbgasitl")
_ENDS: Final = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_TAIL: Final = re.compile(r"[\W\d_]+$")
_MOST_AROUND: Final = 6
"""A word with more digits and signs around it than this is not judged by the word."""
_LONGEST_UNIT: Final = 4
_WALKED: Final = tuple(walk[::step] for walk in WALKS for step in (1, -1))


class PasswordWeak(Invalid):
    """The password is among the first that a guesser tries."""

    reason = "PASSWORD_WEAK"


def check_password(password: str, about: Iterable[str]) -> None:
    """Raise PasswordWeak for a common password, a pattern, or one of the words in `about`.

    `about` is what an attacker knows of the person: the e-mail address, the names.
    """
    folded = unicodedata.normalize("NFKC", password).lower()
    words = WORDS | frozenset(_words(about))
    if _is_pattern(folded) or any(core in words or _is_walk(core) for core in _cores(folded)):
        raise PasswordWeak(
            "choose another password: this one is easy to guess",
            violations=[("password", "too easy to guess")],
        )


def _cores(folded: str) -> Iterator[str]:
    """Yield the words that the password may be a decoration of."""
    for core in (folded, _TAIL.sub("", folded), _ENDS.sub("", folded)):
        if len(core) >= max(3, len(folded) - _MOST_AROUND):
            yield core
            yield core.translate(_LEET)


def _is_pattern(folded: str) -> bool:
    """Tell a short unit said again and again, as in `abababab`."""
    return any(
        folded == (folded[:size] * len(folded))[: len(folded)]
        for size in range(1, _LONGEST_UNIT + 1)
    )


def _is_walk(core: str) -> bool:
    return any(core in walk for walk in _WALKED)


def _words(about: Iterable[str]) -> Iterator[str]:
    for text in about:
        lowered = text.lower()
        yield from (lowered, lowered.partition("@")[0])
        yield from (word for word in re.split(r"[\W_]+", lowered) if len(word) >= 3)
