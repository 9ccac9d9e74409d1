"""Which passwords are refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts_svc.domain.password import PasswordWeak, check_password
from accounts_svc.domain.weak_words import WORDS

ABOUT = ("ada.lovelace@example.com", "Ada", "Lovelace")
LONG_WORDS = sorted(word for word in WORDS if len(word) >= 5)


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "P@ssw0rd1!",
        "12345678",
        "87654321",
        "qwerty123",
        "asdfghjk",
        "1q2w3e4r",
        "aaaaaaaa",
        "abababab",
        "Summer2026!",
        "$unshine1",
        "Staymesh2026",
        "Lovelace1815",
        "ada.lovelace1",
        "ada.lovelace@example.com",
    ],
)
def test_the_first_guesses_are_refused(password: str) -> None:
    with pytest.raises(PasswordWeak) as refused:
        check_password(password, ABOUT)
    assert refused.value.violations[0].field == "password"


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "a-stay-by-the-sea",
        "x7Kd0!qpZ2",
        "tr0ub4dor&3",
        "ünïcödé-pass phrase",
        "Ada8271936450",
        "        two words of blanks",
    ],
)
def test_others_are_free_to_be_of_any_characters(password: str) -> None:
    check_password(password, ABOUT)


@given(
    word=st.sampled_from(LONG_WORDS),
    before=st.text("0123456789!.-_ ", max_size=2),
    after=st.text("0123456789!.-_ ", max_size=4),
    case=st.sampled_from([str.lower, str.upper, str.title]),
)
def test_a_common_word_is_refused_however_it_is_decorated(
    word: str, before: str, after: str, case: object
) -> None:
    assert callable(case)
    with pytest.raises(PasswordWeak):
        check_password(before + case(word) + after, ())


@given(unit=st.text(st.characters(codec="ascii"), min_size=1, max_size=4), times=st.integers(2, 40))
def test_a_short_unit_repeated_is_refused(unit: str, times: int) -> None:
    with pytest.raises(PasswordWeak):
        check_password(unit * times, ())


@given(st.text(min_size=8, max_size=128))
def test_any_text_is_judged_without_another_error(password: str) -> None:
    with contextlib.suppress(PasswordWeak):
        check_password(password, ABOUT)


def test_a_refusal_does_not_repeat_the_password() -> None:
    with pytest.raises(PasswordWeak) as refused:
        check_password("qwerty123", ())
    assert "qwerty" not in repr((refused.value, refused.value.violations, refused.value.metadata))
