"""The rules of the contract (protovalidate), checked before a handler sees the request."""

import json
from collections.abc import Iterable
from typing import Any

import protovalidate
from google.protobuf.message import Message

from mesh.errors import Invalid

_validator = protovalidate.Validator()
# A request with thousands of bad elements is answered with the first few.
_MAX_VIOLATIONS = 20


class RequestInvalid(Invalid):
    """Fields of the request break rules of the contract; the violations name them."""

    reason = "REQUEST_INVALID"


class RequestMalformed(Invalid):
    """The request is not an encoding of the message that the method takes."""

    reason = "REQUEST_MALFORMED"


def validate(request: Message) -> None:
    """Raise RequestInvalid, with JSON field paths, when `request` breaks a rule."""
    violations = _validator.collect_violations(request)
    if violations:
        raise RequestInvalid(
            "the request is not valid",
            violations=[
                (json_path(request, v.field.elements if v.field else ()), v.message or v.rule_id)
                for v in (violation.proto for violation in violations[:_MAX_VIOLATIONS])
            ],
        )


def warm_up(empty: Message) -> None:
    """Compile the rules of a message. Raise CompilationError when the contract has a bad rule."""
    _validator.collect_violations(empty)


def json_path(request: Message, elements: Iterable[Any]) -> str:
    """Return a field's path in JSON names: `stay.guestCounts[2]`; empty for the whole message."""
    path = ""
    descriptor: Any = request.DESCRIPTOR
    for element in elements:
        field = descriptor.fields_by_name.get(element.field_name) if descriptor else None
        path += ("." if path else "") + (field.json_name if field else element.field_name)
        if element.subscript is not None:
            path += f"[{json.dumps(element.subscript.value)}]"
        descriptor = _message_below(field) if field else None
    return path


def _message_below(field: Any) -> Any:
    below = field.message_type
    if below is not None and below.GetOptions().map_entry:
        return below.fields_by_name["value"].message_type
    return below
