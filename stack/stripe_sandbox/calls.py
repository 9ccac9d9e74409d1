"""How a call is answered: who may, under which idempotency key, and what trouble strikes.

Idempotency as documented (https://docs.stripe.com/api/idempotent_requests): the first answer of an
executed call is kept, a decline too; a call refused for its parameters, or because another with
the same key is under way, leaves no trace; other parameters under a used key are an error.
"""

import asyncio
import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from stack.stripe_sandbox.failures import CardRefused, Refusal
from stack.stripe_sandbox.faults import Fault, Faults, Trouble
from stack.stripe_sandbox.form import Parameters, parse
from stack.stripe_sandbox.objects import KeptAnswer, Object, Objects, new_id

Operation = Callable[[Parameters], Object]

_BROKEN = {"type": "api_error", "message": "An unknown error occurred."}
_BUSY = Refusal(
    "There is currently another in-progress request using this Idempotent Key.",
    status=409,
    code="idempotency_key_in_use",
)
_OTHER_PARAMETERS = Refusal(
    "Keys for idempotent requests can only be used with the same parameters they were first used"
    " with. Try using a key other than the one you sent.",
    kind="idempotency_error",
)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: str
    request_id: str
    replayed_key: str = ""

    def response(self) -> Response:
        headers = {"request-id": self.request_id}
        if self.replayed_key:
            headers["idempotency-key"] = self.replayed_key
            headers["idempotent-replayed"] = "true"
        if self.status >= 500:
            headers["stripe-should-retry"] = "false" if self.replayed_key else "true"
        return Response(self.body, self.status, headers, media_type="application/json")


class Calls:
    """The one way in for every /v1 call."""

    def __init__(self, objects: Objects, faults: Faults) -> None:
        self._objects = objects
        self._faults = faults
        self._under_way: set[str] = set()

    async def answer(self, request: Request, operation: Operation) -> Response:
        """Run `operation` with the call's parameters, as Stripe would."""
        request_id = new_id("req", 14)
        try:
            authorize(request)
            encoded = await _encoded(request)
            given = parse(encoded)
            key = request.headers.get("idempotency-key", "") if request.method == "POST" else ""
            call = f"{request.method} {request.url.path}"
            fingerprint = hashlib.sha256(f"{call}\n{encoded}".encode()).hexdigest()
            fault = self._faults.take(call)
            if key in self._under_way:
                raise _BUSY
            if key:
                self._under_way.add(key)
            try:
                work = _Work(operation, given, key, fingerprint, request_id)
                return (await self._with_trouble(work, fault)).response()
            finally:
                self._under_way.discard(key)
        except Refusal as refusal:
            return _refused(refusal, request_id).response()

    async def _with_trouble(self, work: "_Work", fault: Fault) -> _Answer:
        match fault.trouble:
            case Trouble.ERROR_BEFORE:
                return _broken(work)
            case Trouble.RATE_LIMIT:
                raise Refusal("Too many requests hit the API too quickly.", status=429)
            case Trouble.DELAY_BEFORE:
                await asyncio.sleep(fault.seconds)
        answer = self._execute(work, keep_broken=fault.trouble is Trouble.ERROR_KEPT)
        if fault.trouble is Trouble.DELAY_AFTER:
            await asyncio.sleep(fault.seconds)
        return _broken(work) if fault.trouble is Trouble.ERROR_AFTER else answer

    def _execute(self, work: "_Work", *, keep_broken: bool) -> _Answer:
        kept = self._objects.kept_answer(work.key) if work.key else None
        if kept is not None:
            if kept.fingerprint != work.fingerprint:
                raise _OTHER_PARAMETERS
            return _Answer(kept.status, kept.body, kept.request_id, work.key)
        with self._objects.transaction():
            try:
                status, body = 200, work.operation(work.given)
            except CardRefused as refusal:
                status, body = 402, {"error": refusal.error}
            answer = _broken(work) if keep_broken else _answer(status, body, work.request_id)
            if work.key:
                self._objects.keep_answer(
                    work.key,
                    KeptAnswer(
                        fingerprint=work.fingerprint,
                        status=answer.status,
                        body=answer.body,
                        request_id=answer.request_id,
                    ),
                )
        return answer


@dataclass(frozen=True, slots=True)
class _Work:
    operation: Operation
    given: Parameters
    key: str
    fingerprint: str
    request_id: str


def authorize(request: Request) -> None:
    """Raise Refusal (401) unless the call carries a secret test key, as bearer or basic user."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    key = value if scheme.lower() == "bearer" else _basic_user(value)
    if not key.startswith("sk_test_"):
        raise Refusal("You did not provide a valid API key.", status=401)


def _basic_user(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


async def _encoded(request: Request) -> str:
    if request.method != "POST":
        return request.url.query
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError:
        raise Refusal("Invalid request body") from None


def _answer(status: int, body: dict[str, Any], request_id: str) -> _Answer:
    return _Answer(status, json.dumps(body, indent=2), request_id)


def _broken(work: _Work) -> _Answer:
    return _answer(500, {"error": _BROKEN}, work.request_id)


def _refused(refusal: Refusal, request_id: str) -> _Answer:
    return _answer(refusal.status, {"error": refusal.error}, request_id)
