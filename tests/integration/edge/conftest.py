"""A real Envoy, with the real configuration, before a backend that says what it was asked."""

import asyncio
import base64
import json
import socket
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import grpc
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.api import httpbody_pb2
from grpc_status import rpc_status
from staymesh.accounts.v1 import accounts_pb2_grpc
from staymesh.booking.v1 import listings_pb2, listings_pb2_grpc
from staymesh.search.v1 import search_pb2, search_pb2_grpc

from edge.envoy import EdgeSettings
from edge.files import write_files
from mesh.errors import NotFound
from mesh.rpc.status import to_status

PROTOSET = Path(__file__).parents[3] / "protos" / "staymesh.protoset"
ISSUER, AUDIENCE = "https://accounts.staymesh", "staymesh"


@dataclass
class Edge:
    """What a test needs of the edge."""

    client: httpx.AsyncClient
    key: Ed25519PrivateKey
    asked: list

    def token(self, **claims) -> dict[str, str]:
        body = {"iss": ISSUER, "aud": AUDIENCE, "sub": "usr_1", "exp": 4_000_000_000, **claims}
        headers = {"kid": "k1", "typ": "at+jwt"}
        signed = jwt.encode(body, self.key, algorithm="EdDSA", headers=headers)
        return {"authorization": f"Bearer {signed}"}


class Backend(
    listings_pb2_grpc.ListingServiceServicer,
    search_pb2_grpc.SearchServiceServicer,
    accounts_pb2_grpc.AuthServiceServicer,
):
    """Keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list = []

    async def GetListing(self, request, context):  # noqa: N802
        self.asked.append(dict(context.invocation_metadata()))
        return listings_pb2.Listing(listing_id=request.listing_id)

    async def DeleteListing(self, request, context):  # noqa: N802
        status = to_status(NotFound("no such listing", reason="LISTING_NOT_FOUND"))
        await context.abort_with_status(rpc_status.to_status(status))

    async def UpdateListing(self, request, context):  # noqa: N802
        self.asked.append(request)
        return listings_pb2.Listing(listing_id=request.listing_id)

    async def SearchListings(self, request, context):  # noqa: N802
        self.asked.append(request)
        return search_pb2.SearchListingsResponse()

    async def GetKeys(self, request, context):  # noqa: N802
        return httpbody_pb2.HttpBody(content_type="application/json", data=b'{"keys":[]}')


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def _jwks(key: Ed25519PrivateKey) -> str:
    raw = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).decode().rstrip("=")
    public = {"kty": "OKP", "crv": "Ed25519", "x": raw, "kid": "k1", "alg": "EdDSA"}
    return json.dumps({"keys": [public]})


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Edge]:
    backend, key = Backend(), Ed25519PrivateKey.generate()
    server = grpc.aio.server()
    listings_pb2_grpc.add_ListingServiceServicer_to_server(backend, server)
    search_pb2_grpc.add_SearchServiceServicer_to_server(backend, server)
    accounts_pb2_grpc.add_AuthServiceServicer_to_server(backend, server)
    upstream = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    listen, admin, nobody = _free_ports(3)
    (tmp_path / "jwks.json").write_text(_jwks(key))
    settings = EdgeSettings(
        listen=f"127.0.0.1:{listen}",
        admin_listen=f"127.0.0.1:{admin}",
        protoset=PROTOSET,
        jwks=tmp_path / "jwks.json",
        issuer=ISSUER,
        audience=AUDIENCE,
        upstreams={
            **{name: [upstream] for name in ("accounts", "booking", "search")},
            "reviews": [f"127.0.0.1:{nobody}"],
        },
    )
    path = write_files(tmp_path, settings, server=f"http://127.0.0.1:{listen}")
    binary = str(files("envoy") / "_bin" / "envoy")
    arguments = ["-c", str(path), "--base-id", str(listen), "-l", "error"]
    process = await asyncio.create_subprocess_exec(binary, *arguments, stderr=subprocess.PIPE)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listen}") as client:
            await _answering(client, process)
            yield Edge(client, key, backend.asked)
    finally:
        process.terminate()
        await process.communicate()
        await server.stop(None)


async def _answering(client: httpx.AsyncClient, process: asyncio.subprocess.Process) -> None:
    for _ in range(200):
        assert process.returncode is None, "Envoy refused its configuration"
        try:
            if (await client.get("/healthz")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.05)
    raise AssertionError("Envoy did not answer within 10 s")
