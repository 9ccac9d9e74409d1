"""A mesh inside one test: real grpc.aio servers and channels on loopback, throw-away keys.

async with LocalMesh() as mesh:
    server = await mesh.serve("booking", [Mount(...)])
    stub = BookingServiceStub(await mesh.connect("booking", caller="search"))
    with mesh.signed_in("usr_1", roles={"host"}):
        await stub.CreateBooking(...)
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mesh.aio.context import Principal, RequestContext, rc, use_context
from mesh.clock import Clock, SystemClock
from mesh.rpc.auth import Authenticator
from mesh.rpc.client import Channel, ClientSettings, connect
from mesh.rpc.identity import ServiceIdentity, ServiceTokens, UserTokens, sign_user_token
from mesh.rpc.keys import KeySet, jwk_of
from mesh.rpc.pipeline import Guards
from mesh.rpc.server import Mount, Server, ServerSettings
from mesh.rpc.tracing import Tracing

USER_KEY_ID = "test"


class Keyring:
    """Keys made for one test: one that signs for people, one for each service that is named."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.user_key = Ed25519PrivateKey.generate()
        self._services: dict[str, Ed25519PrivateKey] = {}

    def service_key(self, name: str) -> Ed25519PrivateKey:
        """Return the key of a service, made at its first mention."""
        return self._services.setdefault(name, Ed25519PrivateKey.generate())

    def identity(self, name: str) -> ServiceIdentity:
        """Return a service as itself."""
        return ServiceIdentity(name, self.service_key(name), self.clock)

    def user_token(
        self,
        user_id: str,
        roles: Iterable[str] = (),
        *,
        session_id: str = "ses_test",
        life: timedelta = timedelta(minutes=15),
    ) -> str:
        """Return an access token."""
        principal = Principal(user_id, frozenset(roles), session_id)
        return sign_user_token(self.user_key, USER_KEY_ID, principal, clock=self.clock, life=life)

    def authenticator(self) -> Authenticator:
        """Return what verifies the tokens of this keyring."""
        users = KeySet({USER_KEY_ID: self.user_key.public_key()})
        services = _Living(self._services)
        return Authenticator(UserTokens(users, self.clock), ServiceTokens(services, self.clock))

    def write(self, folder: Path, service: str) -> dict[str, str]:
        """Write the key files of a service process and return the environment that names them."""
        key = self.service_key(service).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        users = [jwk_of(self.user_key.public_key(), USER_KEY_ID)]
        services = [jwk_of(k.public_key(), name) for name, k in self._services.items()]
        (folder / f"{service}.pem").write_bytes(key)
        (folder / "jwks.json").write_text(json.dumps({"keys": users}))
        (folder / "services.json").write_text(json.dumps({"keys": services}))
        return {
            "STAYMESH_SERVICE_NAME": service,
            "STAYMESH_SERVICE_KEY_FILE": str(folder / f"{service}.pem"),
            "STAYMESH_JWKS_FILE": str(folder / "jwks.json"),
            "STAYMESH_SERVICE_JWKS_FILE": str(folder / "services.json"),
        }


class _Living(KeySet):
    """The keys of services, also of those that are named later."""

    def __init__(self, keys: dict[str, Ed25519PrivateKey]) -> None:
        super().__init__({})
        self._living = keys

    def get(self, key_id: str) -> Ed25519PublicKey | None:
        """Return the key named `key_id`."""
        key = self._living.get(key_id)
        return None if key is None else key.public_key()


class LocalMesh:
    """Servers on ephemeral loopback ports and channels between them, closed at the end."""

    def __init__(self, clock: Clock | None = None, tracing: Tracing | None = None) -> None:
        self.keys = Keyring(clock)
        self.guards = Guards(authenticator=self.keys.authenticator(), tracing=tracing or Tracing())
        self._stack = AsyncExitStack()
        self._addresses: dict[str, list[str]] = {}

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(exc_type, exc, traceback)

    async def serve(
        self, name: str, mounts: Sequence[Mount], settings: ServerSettings | None = None
    ) -> Server:
        """Start a server as one more backend of the peer `name`."""
        settings = settings or ServerSettings(
            listen="127.0.0.1:0", lame_duck_seconds=0.0, grace_seconds=2.0
        )
        server = await self._stack.enter_async_context(Server(settings, mounts, self.guards))
        self._addresses.setdefault(name, []).append(server.address)
        return server

    async def connect(
        self, name: str, *, caller: str | None = None, settings: ClientSettings | None = None
    ) -> Channel:
        """Open a channel to the peer `name`, as the service `caller`, or as nobody."""
        identity = None if caller is None else self.keys.identity(caller)
        return await self._stack.enter_async_context(
            connect(name, self._addresses[name], identity, settings, self.guards.tracing)
        )

    @contextmanager
    def signed_in(self, user_id: str, roles: Iterable[str] = ()) -> Iterator[RequestContext]:
        """Make the calls of the block on behalf of a person."""
        roles = frozenset(roles)
        context = replace(
            rc(),
            principal=Principal(user_id, roles, "ses_test"),
            token=self.keys.user_token(user_id, roles),
        )
        with use_context(context):
            yield context
