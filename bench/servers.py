"""The servers that are measured, each a process: `python -m bench.servers bare|ours|fastapi PORT`.

All three give the same listing of 1.8 kB, made once.
"""

import asyncio
import gc
import json
import sys
from pathlib import Path
from typing import Any, cast

import grpc
import uvicorn
import uvloop
from fastapi import FastAPI, Response
from google.protobuf import json_format
from staymesh.booking.v1 import listings_pb2, listings_pb2_grpc

from mesh.errors import Unavailable
from mesh.rpc.auth import Authenticator
from mesh.rpc.idempotency import Begun, Scope
from mesh.rpc.identity import ServiceTokens, UserTokens
from mesh.rpc.keys import KeySet
from mesh.rpc.pipeline import Guards
from mesh.rpc.server import Mount, Server, ServerSettings
from mesh.telemetry import quick_line, setup_logs

LISTING_ID = "lst_00000000000000000000000000"


def listing() -> listings_pb2.Listing:
    """Return a listing whose JSON is about 1.8 kB."""
    made = listings_pb2.Listing(
        listing_id=LISTING_ID,
        host_id="usr_00000000000000000000000000",
        status=listings_pb2.LISTING_STATUS_ACTIVE,
        title="Boathouse on the lake, ten minutes from the old town",
        description="Two rooms, a stove, a jetty. " * 30,
        property_type=listings_pb2.PROPERTY_TYPE_HOUSE,
        time_zone="Atlantic/Reykjavik",
        max_guests=4,
        amenities=["wifi", "kitchen", "heating", "washer", "parking", "workspace"],
        instant_book=True,
        rating=4.83,
        review_count=112,
    )
    made.base_price.currency_code, made.base_price.units = "EUR", 120
    return made


class Listings:
    """Answers one method at once; the others are not there to be measured."""

    def __init__(self) -> None:
        self._listing = listing()

    def __getattr__(self, name: str) -> object:
        """Let any other method of the contract be registered."""
        if name.startswith("_"):
            raise AttributeError(name)
        return self.GetListing

    async def GetListing(  # noqa: N802 - the contract's name
        self,
        request: listings_pb2.GetListingRequest,  # noqa: ARG002
        context: Any,  # noqa: ARG002
    ) -> listings_pb2.Listing:
        """Return the one listing."""
        return self._listing


class NoKeys:
    """Remembers nothing: the method that is measured takes no keys."""

    async def begin(self, scope: Scope, fingerprint: bytes) -> Begun:
        """Raise Unavailable."""
        raise Unavailable(f"{scope.method} is not measured, nor {len(fingerprint)} bytes of it")

    async def finish(self, scope: Scope, attempt: int, response: bytes) -> None:
        """Do nothing."""

    async def fail(self, scope: Scope, attempt: int) -> None:
        """Do nothing."""


async def bare(port: int) -> None:
    """Serve with grpc.aio alone."""
    server = grpc.aio.server()
    servicer = cast("listings_pb2_grpc.ListingServiceServicer", Listings())
    listings_pb2_grpc.add_ListingServiceServicer_to_server(servicer, server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


async def ours(port: int, jwks: Path) -> None:
    """Serve through the whole pipeline: deadline, token, validation, metrics, log, errors."""
    line = quick_line("bench", setup_logs("bench"), "INFO")
    keys = KeySet.from_file(jwks)
    authenticator = Authenticator(UserTokens(keys), ServiceTokens(KeySet({})))
    guards = Guards(authenticator=authenticator, answered_line=line)
    add = listings_pb2_grpc.add_ListingServiceServicer_to_server
    mount = Mount(Listings(), add, "staymesh.booking.v1.ListingService", NoKeys())
    async with Server(ServerSettings(listen=f"127.0.0.1:{port}"), [mount], guards):
        await asyncio.Event().wait()


def fastapi(port: int) -> None:
    """Serve the same JSON as a plain FastAPI handler would: a dict, encoded at each call."""
    app = FastAPI()
    body = json_format.MessageToDict(listing(), always_print_fields_with_no_presence=True)

    @app.get("/api/v1/listings/{listing_id}")
    async def get(listing_id: str) -> Response:
        content = json.dumps(body | {"listingId": listing_id}, ensure_ascii=False)
        return Response(content, media_type="application/json")

    uvicorn.run(
        app, host="127.0.0.1", port=port, log_level="error", loop="uvloop", http="httptools"
    )


def main() -> None:
    """Run one of them until it is ended."""
    kind, port = sys.argv[1], int(sys.argv[2])
    # As mesh.app does for each service; the others are given the same.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    if kind == "fastapi":
        fastapi(port)
    else:
        uvloop.run(bare(port) if kind == "bare" else ours(port, Path(sys.argv[3])))


if __name__ == "__main__":
    main()
