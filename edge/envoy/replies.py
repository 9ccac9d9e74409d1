"""What Envoy answers by itself, in the mesh's one error shape."""

from dataclasses import dataclass
from typing import Any

from google.rpc import code_pb2

DOMAIN = "staymesh"


@dataclass(frozen=True, slots=True)
class Reply:
    """One of Envoy's own answers."""

    http: int
    code: code_pb2.Code
    reason: str
    message: str


REPLIES = (
    Reply(400, code_pb2.INVALID_ARGUMENT, "MALFORMED_REQUEST", "The request could not be read."),
    Reply(401, code_pb2.UNAUTHENTICATED, "UNAUTHENTICATED", "A valid access token is needed."),
    Reply(404, code_pb2.NOT_FOUND, "NO_SUCH_PATH", "There is nothing at this path and method."),
    Reply(405, code_pb2.UNIMPLEMENTED, "NO_SUCH_METHOD", "This path has no such method."),
    Reply(408, code_pb2.DEADLINE_EXCEEDED, "REQUEST_TIMEOUT", "The request came too slowly."),
    Reply(413, code_pb2.INVALID_ARGUMENT, "BODY_TOO_LARGE", "The body is too large."),
    Reply(415, code_pb2.INVALID_ARGUMENT, "NOT_JSON", "The body must be application/json."),
    Reply(426, code_pb2.FAILED_PRECONDITION, "UPGRADE_REQUIRED", "HTTP/1.1 or newer is needed."),
    Reply(429, code_pb2.RESOURCE_EXHAUSTED, "RATE_LIMITED", "Too many requests; wait a moment."),
    Reply(431, code_pb2.INVALID_ARGUMENT, "HEADERS_TOO_LARGE", "The headers are too large."),
    Reply(503, code_pb2.UNAVAILABLE, "UNAVAILABLE", "The service is away; try again in a moment."),
    Reply(504, code_pb2.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "The answer took too long."),
)
# Envoy answers 403 for a token that was made for somebody else; it is a wrong token all the same.
WRONG_AUDIENCE = 403
# For every other code that Envoy may give by itself.
OTHERWISE = Reply(500, code_pb2.INTERNAL, "INTERNAL", "Something went wrong.")


def local_reply_config() -> dict[str, Any]:
    """Return Envoy's `local_reply_config` for all of the above."""
    mappers = [_mapper(_status_is("EQ", reply.http), reply) for reply in REPLIES]
    audience = _mapper(_status_is("EQ", WRONG_AUDIENCE), _reply_to(401)) | {"status_code": 401}
    otherwise = _mapper(_status_is("GE", 500), OTHERWISE)
    return {"mappers": [_already_shaped(), audience, *mappers, otherwise]}


def _reply_to(http: int) -> Reply:
    return next(reply for reply in REPLIES if reply.http == http)


def _already_shaped() -> dict[str, Any]:
    """Leave what strict_json.lua answers as it is; the first mapper that fits wins."""
    return {
        "filter": {"header_filter": {"header": {"name": "x-edge-fault", "present_match": True}}}
    }


def _mapper(status: dict[str, Any], reply: Reply) -> dict[str, Any]:
    return {
        "filter": status,
        "body_format_override": {
            "content_type": "application/json",
            "json_format": {
                "code": int(reply.code),
                "message": reply.message,
                "details": [
                    {
                        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                        "reason": reply.reason,
                        "domain": DOMAIN,
                        "metadata": {"detail": "%LOCAL_REPLY_BODY%"} if reply.http == 400 else {},
                    }
                ],
            },
        },
    }


def _status_is(operator: str, code: int) -> dict[str, Any]:
    value = {"default_value": code, "runtime_key": f"edge.reply.{operator.lower()}.{code}"}
    return {"status_code_filter": {"comparison": {"op": operator, "value": value}}}
