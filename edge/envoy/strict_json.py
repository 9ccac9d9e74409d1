"""The table of fields that `strict_json.lua` holds a JSON body against, made from the contracts."""

from pathlib import Path

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from edge.contracts import Binding, Method

_SCRIPT = Path(__file__).with_name("strict_json.lua")
# Written in JSON as a string, a number or anything: they have no fields of their own.
_OPAQUE = "google.protobuf."


def script(methods: list[Method]) -> str:
    """Return the whole Lua program: the table of messages, then the walk."""
    found: dict[str, Descriptor] = {}
    for method in methods:
        for binding in method.bindings:
            message = body_message(method, binding)
            if message is not None:
                _collect(message, found)
    rows = [f'["{name}"]={_fields(message)}' for name, message in sorted(found.items())]
    return f"local messages = {{\n{','.join(rows)}\n}}\n{_SCRIPT.read_text()}"


def body_message(method: Method, binding: Binding) -> Descriptor | None:
    """Return the message that the body of a request is; None when it has no body."""
    request = method.descriptor.input_type
    if not binding.body:
        return None
    return request if binding.body == "*" else request.fields_by_name[binding.body].message_type


def _collect(message: Descriptor, found: dict[str, Descriptor]) -> None:
    if message.full_name in found:
        return
    found[message.full_name] = message
    for field in message.fields:
        below = _below(field)
        if below is not None:
            _collect(below, found)


def _fields(message: Descriptor) -> str:
    """Return a Lua table of the names that JSON may use: lowerCamelCase and the contract's own."""
    pairs = []
    for field in message.fields:
        below = _below(field)
        value = "true" if below is None else f'"{below.full_name}"'
        pairs += [f'["{name}"]={value}' for name in sorted({field.json_name, field.name})]
    return "{" + ",".join(pairs) + "}"


def _below(field: FieldDescriptor) -> Descriptor | None:
    message = field.message_type
    if message is None or message.full_name.startswith(_OPAQUE):
        return None
    return None if message.GetOptions().map_entry else message
