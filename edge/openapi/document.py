"""The paths of the OpenAPI document."""

from pathlib import Path
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.rpc import error_details_pb2, status_pb2

from edge.comments import read_comments
from edge.contracts import Binding, Method, public_methods
from edge.openapi.schemas import Schema, Schemas
from mesh.rpc.policy import Caller, Idempotency

_VERSION = "1.0.0"
_INTRODUCTION = """\
The JSON API of a Staymesh marketplace.

Money is `{currencyCode, units, nanos}` and never a float. Dates are the listing's own calendar
days. Lists come in pages: send the `nextPageToken` of one page as `pageToken` of the next. A field
that is not in this document is refused. Every error has one shape, `Status`, whose `ErrorInfo`
carries a `reason` to act on.
"""


def document(protoset: Path, *, server: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of every method at the edge, ready for `json.dump`.

    `server` is the address that clients call. Raise OSError when the descriptor set is unreadable.
    """
    comments = read_comments(protoset)
    schemas = Schemas(comments)
    paths: dict[str, dict[str, Any]] = {}
    for method in public_methods():
        for binding in method.bindings:
            operation = _operation(method, binding, schemas, comments)
            paths.setdefault(_path(method, binding), {})[binding.verb.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Staymesh", "version": _VERSION, "description": _INTRODUCTION},
        "servers": [{"url": server}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted({**schemas.found, "Status": _status()}.items())),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
            "responses": {
                "Error": {
                    "description": "What was wrong, why, and for which field.",
                    "content": _json({"$ref": "#/components/schemas/Status"}),
                }
            },
        },
    }


def _path(method: Method, binding: Binding) -> str:
    """Return the path with the names that JSON uses."""
    path = binding.path
    for name in binding.variables:
        json_name = method.descriptor.input_type.fields_by_name[name].json_name
        path = path.replace("{" + name + "}", "{" + json_name + "}")
    return path


def _operation(
    method: Method, binding: Binding, schemas: Schemas, comments: dict[str, str]
) -> dict[str, Any]:
    descriptor = method.descriptor
    service = descriptor.containing_service
    words = comments.get(descriptor.full_name, "")
    main = binding is method.bindings[0]
    operation: dict[str, Any] = {
        "operationId": descriptor.name if main else f"{descriptor.name}_{binding.verb.lower()}",
        "summary": words.split(". ")[0].rstrip("."),
        "description": words,
        "tags": [service.name.removesuffix("Service")],
        "parameters": _parameters(method, binding, schemas),
        "responses": {"200": _answer(method, schemas), "default": _ERROR},
        "security": [{}, {"token": []}] if _open(method) else [{"token": []}],
    }
    body = _body(method, binding, schemas)
    if body is not None:
        operation["requestBody"] = {"required": True, "content": _json(body)}
    return operation


_ERROR = {"$ref": "#/components/responses/Error"}


def _open(method: Method) -> bool:
    return method.policy.caller is Caller.PUBLIC


def _answer(method: Method, schemas: Schemas) -> dict[str, Any]:
    output = method.descriptor.output_type
    if output.full_name == "google.api.HttpBody":
        return {"description": "The document.", "content": {"application/json": {}}}
    return {"description": "Done.", "content": _json(schemas.of_message(output))}


def _body(method: Method, binding: Binding, schemas: Schemas) -> Schema | None:
    """Return the schema of the body: the request without what the path carries."""
    request = method.descriptor.input_type
    if not binding.body:
        return None
    if binding.body != "*":
        return schemas.of_field(request.fields_by_name[binding.body])
    left = [field for field in request.fields if field.name not in binding.variables]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {field.json_name: schemas.of_field(field) for field in left},
    }


def _parameters(method: Method, binding: Binding, schemas: Schemas) -> list[dict[str, Any]]:
    fields = method.descriptor.input_type.fields
    parameters = [
        _parameter(field, schemas, "path" if field.name in binding.variables else "query")
        for field in fields
        if field.name in binding.variables or not binding.body
    ]
    if method.policy.idempotency is not Idempotency.NONE:
        parameters.append(_idempotency_key(method.policy.idempotency))
    return parameters


def _parameter(field: FieldDescriptor, schemas: Schemas, place: str) -> dict[str, Any]:
    schema = schemas.of_field(field)
    parameter: dict[str, Any] = {"name": field.json_name, "in": place, "schema": schema}
    if place == "path":
        parameter["required"] = True
    if "description" in schema:
        parameter["description"] = schema["description"]
        parameter["schema"] = {key: part for key, part in schema.items() if key != "description"}
    return parameter


def _idempotency_key(rule: Idempotency) -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": rule is Idempotency.REQUIRED,
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "description": "The same key with the same request gives the first answer again; with "
        "another request it is refused. Kept for 72 hours.",
    }


def _status() -> Schema:
    info, bad = error_details_pb2.ErrorInfo.DESCRIPTOR, error_details_pb2.BadRequest.DESCRIPTOR
    detail = {
        "type": "object",
        "required": ["@type"],
        "properties": {
            "@type": {"type": "string", "description": f"{info.full_name} or {bad.full_name}."},
            "reason": {"type": "string", "description": "As `DATES_UNAVAILABLE`."},
            "domain": {"type": "string"},
            "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
            "fieldViolations": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"field": {"type": "string"}, "description": {"type": "string"}},
                },
            },
        },
    }
    return {
        "type": "object",
        "required": ["code", "message"],
        "description": f"{status_pb2.Status.DESCRIPTOR.full_name}, as JSON.",
        "properties": {
            "code": {"type": "integer", "description": "A code of gRPC."},
            "message": {"type": "string"},
            "details": {"type": "array", "items": detail},
        },
    }


def _json(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
