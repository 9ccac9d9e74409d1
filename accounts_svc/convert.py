"""Protobuf to domain and back; pure."""

from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from staymesh.accounts.v1 import accounts_pb2 as pb
from staymesh.events.v1 import events_pb2

from accounts_svc.domain.imported import ImportedUser
from accounts_svc.domain.name import clean_name
from accounts_svc.domain.user import Role, User, UserChanged
from mesh.clock import epoch_ms
from mesh.ids import bucket_of, derive_id

_ROLE: Final = {role: pb.Role.Value(f"ROLE_{role.name}") for role in Role}


def user(value: User) -> pb.User:
    """Return a person as their own profile shows them."""
    return pb.User(
        user_id=value.user_id,
        email=value.email,
        first_name=value.first_name,
        last_name=value.last_name,
        email_verified=value.email_verified,
        roles=sorted(_ROLE[role] for role in value.roles),
        superhost=value.superhost,
        create_time=_timestamp(value.created_at),
    )


def user_changed(change: UserChanged) -> events_pb2.Event:
    """Tell a person as they are now, without address and last name: topics are kept and copied.

    The event's id is made of what it tells, so telling it again is the same event.
    """
    value, at = change.user, change.occurred_at
    told = user(value)
    told.ClearField("email")
    told.ClearField("last_name")
    return events_pb2.Event(
        event_id=derive_id(
            "evt",
            now_ms=epoch_ms(at),
            bucket=bucket_of(value.user_id),
            seed=f"{change.kind}|{value.user_id}",
        ),
        kind=change.kind,
        aggregate_id=value.user_id,
        occur_time=_timestamp(at),
        user_changed=events_pb2.UserChanged(user=told),
    )


def imported(message: pb.ImportedUser) -> ImportedUser:
    """Read a person from elsewhere; a source need not know a name."""
    return ImportedUser(
        source_id=message.source_id,
        first_name=clean_name(message.first_name),
        host=message.host,
        superhost=message.superhost,
        email=message.email,
        password=message.password,
    )


def _timestamp(instant: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(instant.astimezone(UTC))
    return message
