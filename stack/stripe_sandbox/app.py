"""The sandbox's addresses: Stripe's under /v1, ours for tests under /_sandbox."""

import json
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stack.stripe_sandbox import intents, refunds
from stack.stripe_sandbox.calls import Calls
from stack.stripe_sandbox.failures import Refusal
from stack.stripe_sandbox.faults import Faults
from stack.stripe_sandbox.form import Parameters
from stack.stripe_sandbox.objects import Object, Objects

Endpoint = Callable[[Request], Awaitable[Response]]
ByParameters = Callable[[Objects, Parameters], Object]
ById = Callable[[Objects, Parameters, str], Object]


def make_app(objects: Objects) -> Starlette:
    """Return the application over `objects`."""
    faults = Faults()
    calls = Calls(objects, faults)

    def whole(operation: ByParameters) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return await calls.answer(request, partial(operation, objects))

        return endpoint

    def one(operation: ById) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            intent_id = request.path_params["intent_id"]
            return await calls.answer(request, lambda given: operation(objects, given, intent_id))

        return endpoint

    async def unknown(request: Request) -> Response:
        return await calls.answer(request, lambda _: _no_such_address(request))

    intent = "/v1/payment_intents/{intent_id}"
    return Starlette(
        routes=[
            Route("/v1/balance", whole(_balance), methods=["GET"]),
            Route("/v1/payment_intents", whole(intents.create), methods=["POST"]),
            Route("/v1/payment_intents", whole(intents.list_all), methods=["GET"]),
            Route("/v1/payment_intents/search", whole(intents.search), methods=["GET"]),
            Route(intent, one(intents.retrieve), methods=["GET"]),
            Route(f"{intent}/capture", one(intents.capture), methods=["POST"]),
            Route(f"{intent}/cancel", one(intents.cancel), methods=["POST"]),
            Route("/v1/refunds", whole(refunds.create), methods=["POST"]),
            Route("/v1/refunds", whole(refunds.list_all), methods=["GET"]),
            *_control(objects, faults),
            Route("/{path:path}", unknown, methods=["GET", "POST", "DELETE"]),
        ]
    )


def _control(objects: Objects, faults: Faults) -> list[Route]:
    async def add_fault(request: Request) -> Response:
        try:
            faults.add(await request.json())
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({})

    async def clear_faults(_: Request) -> Response:
        faults.clear()
        return JSONResponse({})

    async def authenticate(request: Request) -> Response:
        body = json.loads(await request.body() or b"{}")
        try:
            with objects.transaction():
                intent = intents.authenticate(
                    objects, request.path_params["intent_id"], succeeds=body.get("succeeds", True)
                )
        except Refusal as refusal:
            return JSONResponse({"error": refusal.error}, refusal.status)
        return JSONResponse(intent)

    return [
        Route("/_sandbox/faults", add_fault, methods=["POST"]),
        Route("/_sandbox/faults", clear_faults, methods=["DELETE"]),
        Route("/_sandbox/payment_intents/{intent_id}/authenticate", authenticate, methods=["POST"]),
    ]


def _balance(_: Objects, __: Parameters) -> Object:
    """Answer what a check of the key asks for; no money is kept here."""
    return {"object": "balance", "livemode": False, "available": [], "pending": []}


def _no_such_address(request: Request) -> Object:
    raise Refusal(f"Unrecognized request URL ({request.method}: {request.url.path}).", status=404)
