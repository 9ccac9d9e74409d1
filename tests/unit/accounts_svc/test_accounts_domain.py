"""Addresses, tokens, attempts, names, imported ids."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts_svc.domain.address import Address
from accounts_svc.domain.attempts import LOG_IN, TooManyAttempts
from accounts_svc.domain.imported import ImportedUser, imported_id
from accounts_svc.domain.mail import already_a_member, prove_address
from accounts_svc.domain.name import NameEmpty, first_name
from accounts_svc.domain.user import Role, UserNotFound, own_id
from accounts_svc.domain.verification import SECRET_BYTES, Token, VerificationTokenInvalid
from mesh.ids import BUCKETS, parse

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@given(st.emails())
def test_case_and_outer_spaces_make_no_other_address(email: str) -> None:
    address = Address.of(email)
    assert Address.of(f"  {email.swapcase()} ") == address
    assert Address.of(address.text) == address
    assert 0 <= address.bucket < BUCKETS


@given(st.text(max_size=254))
def test_any_text_can_be_looked_up_and_nobody_is_an_id_of_its_own_shard(text: str) -> None:
    address = Address.of(text)
    assert len(address.digest) == 32
    assert parse(address.nobody, "usr").bucket == address.bucket


@given(
    bucket=st.integers(0, BUCKETS - 1),
    secret=st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES),
)
def test_a_token_comes_back_as_it_was_sent(bucket: int, secret: bytes) -> None:
    token = Token(bucket, secret)
    assert Token.parse(token.text) == token
    assert Token.parse(f" {token.text}\n") == token
    assert secret not in token.digest


@given(st.text(max_size=200))
def test_a_token_that_was_never_made_is_refused_as_one(text: str) -> None:
    try:
        token = Token.parse(text)
    except VerificationTokenInvalid:
        return
    assert len(token.secret) == SECRET_BYTES


def test_an_attempt_beyond_the_limit_is_told_how_long_to_wait() -> None:
    LOG_IN.check(LOG_IN.limit, NOW, NOW)
    with pytest.raises(TooManyAttempts) as refused:
        LOG_IN.check(LOG_IN.limit + 1, NOW - timedelta(minutes=5), NOW)
    assert refused.value.retry_after_seconds == 600.0


@given(st.text(max_size=100))
def test_a_first_name_is_one_visible_line(written: str) -> None:
    try:
        name = first_name(written)
    except NameEmpty:
        return
    assert name
    assert name == name.strip()
    assert not set("\x00\n\r\u202e") & set(name)


def test_a_name_cannot_pose_as_another_by_hidden_characters() -> None:
    assert first_name(" Ada\u202e\x00  King\n") == "Ada King"
    with pytest.raises(NameEmpty):
        first_name("\u202e \x00")


def test_only_ones_own_profile_has_an_id() -> None:
    assert own_id("me", "usr_a") == own_id("usr_a", "usr_a") == "usr_a"
    with pytest.raises(UserNotFound):
        own_id("usr_b", "usr_a")


@given(st.text(max_size=100), st.text(min_size=1, max_size=100))
def test_an_imported_id_follows_from_source_and_source_id(source: str, source_id: str) -> None:
    assert imported_id(source, source_id) == imported_id(source, source_id)
    assert imported_id(source, source_id) != imported_id(source + "x", source_id)


def test_imported_people_spread_over_the_buckets() -> None:
    buckets = {parse(imported_id("world", str(n)), "usr").bucket >> 8 for n in range(500)}
    assert buckets == set(range(16))


def test_only_who_has_address_and_password_can_sign_in() -> None:
    base = {"source_id": "1", "first_name": "Noor", "host": True, "superhost": False}
    assert ImportedUser(**base, email="a@b", password="x").can_sign_in
    assert not ImportedUser(**base, email="a@b").can_sign_in
    assert not ImportedUser(**base, email="not one", password="x").can_sign_in
    user = ImportedUser(**base).user("world", "", NOW)
    assert (user.email_verified, user.roles) == (False, {Role.GUEST, Role.HOST})


def test_a_mail_carries_the_token_as_a_link_and_to_paste() -> None:
    token = Token(7, bytes(range(SECRET_BYTES))).text
    mail = prove_address("a@b.example", token, "http://127.0.0.1:8080/", timedelta(hours=24))
    assert f"http://127.0.0.1:8080/verify-email?token={token}\n" in mail.text
    assert f"Token: {token}\n" in mail.text
    assert "24 hours" in mail.text
    assert "oken" not in already_a_member("a@b.example", "http://127.0.0.1:8080").text
