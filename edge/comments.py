"""The comments of the contracts: the words that the OpenAPI document is written in."""

from collections.abc import Iterator
from pathlib import Path

from google.protobuf import descriptor_pb2

_Path = tuple[int, ...]
# Field numbers inside descriptor.proto, which source locations are made of.
_FILE_MESSAGE, _FILE_ENUM, _FILE_SERVICE = 4, 5, 6
_MESSAGE_FIELD, _MESSAGE_NESTED, _ENUM_VALUE, _SERVICE_METHOD = 2, 3, 2, 2


def read_comments(protoset: Path) -> dict[str, str]:
    """Return the leading comment of each message, field, enum, value, service and method by name.

    Raise OSError when the descriptor set cannot be read.
    """
    files = descriptor_pb2.FileDescriptorSet.FromString(protoset.read_bytes())
    found: dict[str, str] = {}
    for file in files.file:
        texts = {
            tuple(location.path): _unwrap(location.leading_comments)
            for location in file.source_code_info.location
            if location.leading_comments
        }
        for path, name in _names(file):
            if path in texts:
                found[name] = texts[path]
    return found


def _unwrap(comment: str) -> str:
    """Join the lines of a comment; empty lines part paragraphs."""
    paragraphs = "\n".join(line.strip() for line in comment.strip().splitlines()).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _names(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[_Path, str]]:
    package = file.package
    for i, message in enumerate(file.message_type):
        yield from _message((_FILE_MESSAGE, i), package, message)
    for i, enum in enumerate(file.enum_type):
        yield from _enum((_FILE_ENUM, i), package, enum)
    for i, service in enumerate(file.service):
        name = f"{package}.{service.name}"
        yield (_FILE_SERVICE, i), name
        for j, method in enumerate(service.method):
            yield (_FILE_SERVICE, i, _SERVICE_METHOD, j), f"{name}.{method.name}"


def _message(
    path: _Path, scope: str, message: descriptor_pb2.DescriptorProto
) -> Iterator[tuple[_Path, str]]:
    name = f"{scope}.{message.name}"
    yield path, name
    for i, field in enumerate(message.field):
        yield (*path, _MESSAGE_FIELD, i), f"{name}.{field.name}"
    for i, nested in enumerate(message.nested_type):
        yield from _message((*path, _MESSAGE_NESTED, i), name, nested)


def _enum(
    path: _Path, scope: str, enum: descriptor_pb2.EnumDescriptorProto
) -> Iterator[tuple[_Path, str]]:
    name = f"{scope}.{enum.name}"
    yield path, name
    for i, value in enumerate(enum.value):
        yield (*path, _ENUM_VALUE, i), f"{name}.{value.name}"
