"""Text that hosts write and guests' browsers show."""

import re
from typing import Final

import nh3

ALLOWED_TAGS: Final = frozenset({"b", "i", "em", "strong", "p", "br", "ul", "ol", "li"})
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_SPACES: Final = re.compile(r"\s+")


def clean_html(text: str) -> str:
    """Return `text` with the allowed tags, without attributes; all other markup is taken out.

    Control characters and bidirectional overrides, which hide what a text says, go too.
    """
    return nh3.clean(
        _CONTROL.sub("", text), tags=set(ALLOWED_TAGS), attributes={}, link_rel=None
    ).strip()


def clean_line(text: str) -> str:
    """Return plain text on one line, without control characters."""
    return _SPACES.sub(" ", _CONTROL.sub("", text)).strip()
