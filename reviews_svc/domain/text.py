"""Text that guests wrote, as plain text."""

import html
import re
from typing import Final

import nh3

_BREAK: Final = re.compile(r"(?i)<br\s*/?>|</p\s*>")
# Control characters, and bidirectional overrides, which hide what a text says.
_HIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_SPACES: Final = re.compile(r"\s+")
_BLANK_LINES: Final = re.compile(r"\n\s*\n\s*\n+")
_MOST_LAYERS: Final = 8


def plain_text(written: str) -> str:
    """Return text without markup, its line breaks kept; `&amp;` and the like become characters.

    The result is its own plain text: markup that was escaped once or twice is gone too, so it is
    harmless also where somebody forgets to escape it.
    """
    text = _BREAK.sub("\n", _HIDDEN.sub("", written))
    for _ in range(_MOST_LAYERS):
        if "<" not in text and "&" not in text:
            break
        peeled = html.unescape(nh3.clean(text, tags=set(), attributes={}, link_rel=None))
        if peeled == text:
            break
        text = _HIDDEN.sub("", peeled)
    else:
        text = text.replace("<", "").replace("&", "")  # nobody escapes eight times by accident
    return _BLANK_LINES.sub("\n\n", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def plain_line(written: str) -> str:
    """Return plain text on one line."""
    return _SPACES.sub(" ", plain_text(written))
