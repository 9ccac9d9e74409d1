"""Settings of the local stack: where its data are, which ports it uses, what it need not start."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stack.errors import StackError

REPOSITORY = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
DEFAULT_PORT_BASE = 15400
DEFAULT_EDGE_PORT = 8080
HIGHEST_PORT_BASE = 65535 - 100
SEARCH_SHARDS = 2

# Each process of ours and the place of its gRPC port above the base.
SERVICE_OFFSETS = {
    "accounts": 10,
    "booking": 11,
    "payments": 12,
    "reviews": 13,
    "search": 14,
    "indexer": 15,
    "shard-0": 16,
    "shard-1": 17,
}
# Four apart, since a service of several processes uses as many metrics ports.
METRICS_ABOVE = 30
METRICS_APART = 4


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The loopback ports of the parts, all counted from one base but the edge's."""

    base: int
    edge: int

    @property
    def postgres(self) -> int:
        return self.base

    @property
    def valkey(self) -> int:
        return self.base + 1

    @property
    def kafka(self) -> int:
        return self.base + 2

    @property
    def kafka_controller(self) -> int:
        return self.base + 3

    @property
    def elasticsearch(self) -> int:
        return self.base + 4

    @property
    def elasticsearch_transport(self) -> int:
        return self.base + 5

    @property
    def smtp(self) -> int:
        return self.base + 6

    @property
    def stripe(self) -> int:
        return self.base + 7

    @property
    def envoy_admin(self) -> int:
        return self.base + 8

    def service(self, name: str) -> int:
        """Return the gRPC port of one of our processes, such as `booking` or `shard-1`."""
        return self.base + SERVICE_OFFSETS[name]

    def metrics(self, name: str) -> int:
        """Return the port where that process serves its Prometheus metrics."""
        first = min(SERVICE_OFFSETS.values())
        return self.base + METRICS_ABOVE + METRICS_APART * (SERVICE_OFFSETS[name] - first)


@dataclass(frozen=True, kw_only=True)
class External:
    """Parts that run elsewhere; None means that the stack starts its own."""

    postgres_url: str | None = None
    redis_url: str | None = None
    kafka_url: str | None = None
    elasticsearch_url: str | None = None
    stripe_api_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that decides what a start does."""

    home: Path
    cache: Path
    ports: Ports
    external: External = field(default_factory=External)

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def keys(self) -> Path:
        return self.home / "keys"

    @property
    def mailbox(self) -> Path:
        return self.home / "mail" / "messages.jsonl"

    @property
    def status_file(self) -> Path:
        return self.home / "status.json"

    @property
    def edge_url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports.edge}"


def load(
    environ: Mapping[str, str] = os.environ,
    *,
    home: Path | None = None,
    port_base: int | None = None,
    edge_port: int | None = None,
) -> Settings:
    """Read the settings from the environment; arguments that are given win.

    Raises StackError for a value that cannot be used.
    """
    ports = Ports(
        base=port_base or _port(environ, "STAYMESH_PORT_BASE", DEFAULT_PORT_BASE),
        edge=edge_port or _port(environ, "STAYMESH_EDGE_PORT", DEFAULT_EDGE_PORT),
    )
    if not 1024 <= ports.base <= HIGHEST_PORT_BASE:
        raise StackError(
            f"port base {ports.base} leaves no room for the internal ports",
            f"choose one from 1024 to {HIGHEST_PORT_BASE}",
        )
    chosen = home or Path(environ.get("STAYMESH_HOME") or REPOSITORY / ".staymesh")
    return Settings(
        home=chosen.expanduser().absolute(),
        cache=_cache(environ),
        ports=ports,
        external=External(
            postgres_url=environ.get("STAYMESH_POSTGRES_URL") or None,
            redis_url=environ.get("STAYMESH_REDIS_URL") or None,
            kafka_url=environ.get("STAYMESH_KAFKA_URL") or None,
            elasticsearch_url=environ.get("STAYMESH_ELASTICSEARCH_URL") or None,
            stripe_api_key=environ.get("STRIPE_API_KEY") or None,
        ),
    )


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdigit() or not 0 < int(text) <= 65535:
        raise StackError(f"{name}={text} is not a port", "give a number from 1 to 65535")
    return int(text)


def _cache(environ: Mapping[str, str]) -> Path:
    """The fetched jars are shared by all data folders: they are large, and the same for all."""
    if chosen := environ.get("STAYMESH_CACHE"):
        return Path(chosen).expanduser().absolute()
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "staymesh"
