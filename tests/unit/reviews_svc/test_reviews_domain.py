"""Review text, ids and pages."""

from datetime import UTC, datetime

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.ids import bucket_of, new_id
from reviews_svc.domain.paging import Cursor, PageTokenInvalid
from reviews_svc.domain.review import ReviewDateInvalid, imported_review
from reviews_svc.domain.text import plain_line, plain_text

LISTING = new_id("lst", now_ms=1_795_000_000_000)
PIECES = st.sampled_from(
    [
        *("<", ">", "&", "&lt;", "&amp;", "amp;", "lt;", "gt;", "&#60;", "=", "/"),
        *("script", "<b>", "<!--", "svg", "<br/>", "onload=1", "love", "<![CDATA["),
        *(" ", "\n", "\r", "\x00", "\u202e"),
    ]
)
MARKUP = st.lists(PIECES, max_size=20).map("".join)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Lovely.<br/>We will be back!", "Lovely.\nWe will be back!"),
        ("<p>One.</p><p>Two.</p>", "One.\nTwo."),
        ("I <3 this place &amp; its cat", "I <3 this place & its cat"),
        ("5 < 6 <b>bold</b>", "5 < 6 bold"),
        ("<script>alert(1)</script>Nice", "Nice"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;Nice", "Nice"),
        ("&amp;lt;img src=x onerror=alert(1)&amp;gt;Nice", "Nice"),
        ("<scr<script>ipt>alert(1)</script>", ""),
        ("a\r\nb\rc\n\n\n\nd\x00\u202e", "a\nb\nc\n\nd"),
    ],
)
def test_markup_is_taken_out_and_text_stays(written: str, plain: str) -> None:
    got = plain_text(written)
    if "ipt>" in written and not plain:
        assert not nh3.is_html(got)
    else:
        assert got == plain


@given(st.one_of(st.text(), MARKUP))
def test_what_is_plain_stays_as_it_is_and_is_no_markup(written: str) -> None:
    plain = plain_text(written)
    assert plain_text(plain) == plain
    assert not nh3.is_html(plain)
    assert "\x00" not in plain
    assert "\n" not in plain_line(written)


def review(source: str = "s", source_id: str = "1", day: str = "2024-11-05") -> object:
    return imported_review(
        source, source_id, listing_id=LISTING, reviewer_name="Ada", text="Good", day=day
    )


def test_an_imported_review_is_the_same_whenever_its_snapshot_is_said_to_start() -> None:
    first = imported_review(
        "s", "1", listing_id=LISTING, reviewer_name=" A<b>da\n", text="Good", day="2024-11-05"
    )
    moved = imported_review(
        "s", "1", listing_id=LISTING, reviewer_name="Ada", text="Good", day="2026-11-24"
    )
    assert first.review_id == moved.review_id
    assert first.reviewer_name == "Ada"
    assert first.published_at == datetime(2024, 11, 5, tzinfo=UTC)
    assert bucket_of(first.review_id) == bucket_of(LISTING)


@pytest.mark.parametrize("day", ["2024-02-30", "2024-13-01", "0000-01-01"])
def test_a_day_that_does_not_exist_is_refused(day: str) -> None:
    with pytest.raises(ReviewDateInvalid) as refused:
        review(day=day)
    assert refused.value.metadata == {"source_id": "1"}


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_page_token_comes_back_as_it_was_given(instant: datetime) -> None:
    cursor = Cursor(instant, new_id("rev", now_ms=0))
    assert Cursor.of(cursor.token) == cursor


@given(st.one_of(st.text(max_size=500), st.binary(max_size=60).map(lambda raw: raw.hex())))
def test_a_page_token_of_another_kind_is_refused_as_one(token: str) -> None:
    if token:
        with pytest.raises(PageTokenInvalid):
            Cursor.of(token)
    else:
        assert Cursor.of(token) is None
