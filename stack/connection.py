"""Stubs of a running stack's services, for the loaders: called as the stack, by its own key."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from staymesh.accounts.v1 import accounts_pb2_grpc
from staymesh.booking.v1 import listings_pb2_grpc
from staymesh.reviews.v1 import reviews_pb2_grpc

from mesh.rpc.client import Channel, connect
from mesh.rpc.identity import ServiceIdentity
from mesh.rpc.keys import read_private_key
from stack.config import LOOPBACK, Settings
from stack.keys import Keys
from stack.loading import Services

IDENTITY = "stack"


@asynccontextmanager
async def services(settings: Settings) -> AsyncIterator[Services]:
    """Open channels to the services that take listings, people and reviews."""
    key = read_private_key(Keys(folder=settings.keys).service_key(IDENTITY))
    identity = ServiceIdentity(IDENTITY, key)
    async with AsyncExitStack() as stack:

        async def channel(name: str) -> Channel:
            address = f"{LOOPBACK}:{settings.ports.service(name)}"
            return await stack.enter_async_context(connect(name, [address], identity))

        yield Services(
            users=accounts_pb2_grpc.UserServiceStub(await channel("accounts")),
            listings=listings_pb2_grpc.ListingImportServiceStub(await channel("booking")),
            reviews=reviews_pb2_grpc.ReviewServiceStub(await channel("reviews")),
        )
