"""Parameters as Stripe takes them: form-encoded, with `metadata[booking_id]` for nesting."""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl

from stack.stripe_sandbox.failures import Refusal

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")

Parameters = dict[str, Any]


class Kind(Enum):
    """What a parameter may be."""

    TEXT = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    MAP = "hash"
    LIST = "array"


def parse(encoded: str) -> Parameters:
    """Return the nested parameters of a body or a query string; lists become maps by index."""
    tree: Parameters = {}
    for key, value in parse_qsl(encoded, keep_blank_values=True):
        match = _KEY.fullmatch(key)
        if match is None:
            raise Refusal(f"Invalid parameter name: {key}", param=key)
        path = [match[1], *_PART.findall(match[2])]
        place = tree
        for part in path[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise Refusal(f"Invalid parameter: {key}", param=key)
        # "a[]" appends; "a[3]" says where.
        place[path[-1] or str(len(place))] = value
    return tree


def check(
    given: Parameters, allowed: Mapping[str, Kind], required: tuple[str, ...] = ()
) -> Parameters:
    """Return the parameters as values of their kinds; raise Refusal as Stripe words it."""
    for name in given:
        if name not in allowed:
            raise Refusal(
                f"Received unknown parameter: {name}", code="parameter_unknown", param=name
            )
    for name in required:
        if given.get(name, "") == "":
            raise Refusal(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return {name: _value(name, value, allowed[name]) for name, value in given.items()}


def _value(name: str, value: Any, kind: Kind) -> Any:
    if kind is Kind.MAP and isinstance(value, dict):
        return value
    if kind is Kind.LIST and isinstance(value, dict):
        return list(value.values())
    if kind in (Kind.MAP, Kind.LIST) or not isinstance(value, str):
        raise Refusal(f"Invalid {kind.value}", param=name)
    if kind is Kind.INTEGER:
        if not re.fullmatch(r"-?\d{1,15}", value):
            raise Refusal(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
        return int(value)
    if kind is Kind.BOOLEAN:
        if value not in ("true", "false"):
            raise Refusal(f"Invalid boolean: {value}", param=name)
        return value == "true"
    return value
