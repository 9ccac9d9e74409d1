"""Accounts on the wire and in events."""

from datetime import UTC, datetime

from staymesh.accounts.v1 import accounts_pb2 as pb

from accounts_svc import convert
from accounts_svc.domain.user import CREATED, Role, User, UserChanged
from mesh.ids import new_id

USER = User(
    user_id=new_id("usr", now_ms=1_795_000_000_000),
    email="ada@example.com",
    first_name="Ada",
    last_name="King",
    roles=frozenset({Role.HOST, Role.GUEST}),
    email_verified=True,
    superhost=True,
    created_at=datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC),
)


def test_every_role_has_its_place_in_the_contract() -> None:
    assert {f"ROLE_{role.name}" for role in Role} == set(pb.Role.keys()) - {"ROLE_UNSPECIFIED"}


def test_a_profile_says_all_of_the_person() -> None:
    message = convert.user(USER)
    assert list(message.roles) == [pb.ROLE_GUEST, pb.ROLE_HOST]
    assert message.create_time.ToDatetime(UTC) == USER.created_at
    assert {field.name for field, _ in message.ListFields()} == set(
        pb.User.DESCRIPTOR.fields_by_name
    )


def test_an_event_carries_no_address_and_is_the_same_when_told_again() -> None:
    change = UserChanged(kind=CREATED, user=USER, occurred_at=USER.created_at)
    event = convert.user_changed(change)
    assert event == convert.user_changed(change)
    assert (event.aggregate_id, event.kind) == (USER.user_id, CREATED)
    assert event.user_changed.user.first_name == "Ada"
    assert b"ada@example.com" not in event.SerializeToString()
    assert b"King" not in event.SerializeToString()
