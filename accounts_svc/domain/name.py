"""Names as people give them: one line of plain text."""

import re
from typing import Final

from mesh.errors import Invalid

# Control characters, and bidirectional overrides, which let a name pose as another.
_HIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SPACES: Final = re.compile(r"\s+")


class NameEmpty(Invalid):
    """Nothing of the name can be seen."""

    reason = "NAME_EMPTY"


def clean_name(written: str) -> str:
    """Return the name without what cannot be seen, its spaces single."""
    return _SPACES.sub(" ", _HIDDEN.sub(" ", written)).strip()


def first_name(written: str) -> str:
    """Return a cleaned first name; raise NameEmpty when nothing is left of it."""
    name = clean_name(written)
    if not name:
        raise NameEmpty(violations=[("firstName", "say what to call you")])
    return name
