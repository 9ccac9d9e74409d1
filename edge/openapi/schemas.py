"""Messages as JSON Schema, in the JSON that proto3 defines (lowerCamelCase, 64 bits as strings)."""

from typing import Any

from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

Schema = dict[str, Any]

_KINDS: dict[int, Schema] = {
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "format": "byte"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_INT64: {"type": "string", "format": "int64"},
}
_WELL_KNOWN: dict[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.FieldMask": {
        "type": "string",
        "description": "Names of fields with commas between: `title,basePrice`.",
    },
    "google.protobuf.Empty": {"type": "object"},
    "google.api.HttpBody": {"type": "string", "format": "binary"},
}


class Schemas:
    """The schemas that a document needs, collected while its paths are written."""

    def __init__(self, comments: dict[str, str]) -> None:
        self._comments = comments
        self.found: dict[str, Schema] = {}

    def of_message(self, message: Descriptor) -> Schema:
        """Return a reference to the schema of `message`, which is added to `found`."""
        known = _WELL_KNOWN.get(message.full_name)
        if known is not None:
            return known
        if message.name not in self.found:
            self.found[message.name] = {}
            self.found[message.name] = self._object(message)
        return {"$ref": f"#/components/schemas/{message.name}"}

    def of_field(self, field: FieldDescriptor) -> Schema:
        """Return the schema of one field: its type, its words, its limits."""
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            value = self.of_field(field.message_type.fields_by_name["value"])
            return {"type": "object", "additionalProperties": value}
        schema = dict(self._single(field))
        rules = field.GetOptions().Extensions[validate_pb2.field]
        if field.is_repeated:
            schema = {"type": "array", "items": schema | _limits(rules.repeated.items)}
            schema |= _limits(rules)
        elif "$ref" not in schema:
            schema |= _limits(rules)
        words = self._comments.get(field.full_name)
        return {**schema, "description": words} if words else schema

    def _single(self, field: FieldDescriptor) -> Schema:
        if field.message_type is not None:
            return self.of_message(field.message_type)
        if field.enum_type is not None:
            return self._enum(field.enum_type)
        return _KINDS[field.type]

    def _enum(self, enum: EnumDescriptor) -> Schema:
        if enum.name not in self.found:
            names = [value.name for value in enum.values]
            words = "\n".join(
                f"- `{name}`: {self._comments[key]}"
                for name in names
                if (key := f"{enum.full_name}.{name}") in self._comments
            )
            self.found[enum.name] = {"type": "string", "enum": names}
            if words:
                self.found[enum.name]["description"] = words
        return {"$ref": f"#/components/schemas/{enum.name}"}

    def _object(self, message: Descriptor) -> Schema:
        schema: Schema = {
            "type": "object",
            "additionalProperties": False,
            "properties": {field.json_name: self.of_field(field) for field in message.fields},
        }
        required = [
            field.json_name
            for field in message.fields
            if field.GetOptions().Extensions[validate_pb2.field].required
        ]
        if required:
            schema["required"] = required
        words = self._comments.get(message.full_name)
        return {**schema, "description": words} if words else schema


def _limits(rules: validate_pb2.FieldRules) -> Schema:
    """Return the limits of protovalidate that JSON Schema can say too."""
    kind = rules.WhichOneof("type")
    if kind == "string":
        return _named(
            rules.string,
            {"min_len": "minLength", "max_len": "maxLength", "pattern": "pattern"},
        )
    if kind == "repeated":
        return _named(
            rules.repeated,
            {"min_items": "minItems", "max_items": "maxItems", "unique": "uniqueItems"},
        )
    if kind in ("int32", "double"):
        return _named(getattr(rules, kind), {"gte": "minimum", "lte": "maximum"})
    return {}


def _named(rule: Any, names: dict[str, str]) -> Schema:
    return {json: getattr(rule, name) for name, json in names.items() if rule.HasField(name)}
