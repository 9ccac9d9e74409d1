"""A page token brings one back to where the page ended, in the search it belongs to."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_svc.domain.cursor import Cursor, PageTokenInvalid, PageTokenMismatch, cursor_of
from search_svc.domain.listing import Position
from tests.unit.search_svc.makers import listing_id

POSITIONS = st.none() | st.builds(
    Position, st.integers(0, 1_000_000), st.integers(0, 10**6).map(listing_id)
)
CURSORS = st.builds(lambda a, b: Cursor(batch_after=a, seen=b), POSITIONS, POSITIONS)


@given(CURSORS)
def test_a_token_is_read_back_as_it_was(cursor: Cursor) -> None:
    token = cursor.token("abc")
    assert cursor_of(token, "abc") == cursor
    assert len(token) <= 1000
    assert "=" not in token


@given(CURSORS)
def test_a_token_is_of_no_use_to_another_search(cursor: Cursor) -> None:
    with pytest.raises(PageTokenMismatch):
        cursor_of(cursor.token("abc"), "xyz")


def test_no_token_is_the_beginning() -> None:
    assert cursor_of("", "abc") == Cursor()


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        "made up",
        "ümlaut",
        "AAAA",
        packed("abc"),
        packed(["abc"]),
        packed(["abc", [1, 2], None]),
        packed(["abc", [True, "lst_1"], None]),
        packed(["abc", [-1, "lst_1"], None]),
        packed(["abc", [1 << 40, "lst_1"], None]),
        packed(["abc", [1, "'; DROP TABLE"], None]),
        packed(["abc", {"rank": 1}, None]),
    ],
)
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(PageTokenInvalid):
        cursor_of(token, "abc")


@given(st.text(max_size=60))
def test_no_text_makes_it_fall_over(text: str) -> None:
    try:
        cursor_of(text, "abc")
    except (PageTokenInvalid, PageTokenMismatch):
        return
    assert text == ""
