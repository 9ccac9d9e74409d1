"""Our own processes: which there are, what each is told, and when each is healthy."""

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import grpc.aio
from grpc_health.v1 import health_pb2

from stack.config import LOOPBACK, REPOSITORY, SEARCH_SHARDS, Settings
from stack.errors import NotReady, StackError
from stack.keys import Keys
from stack.parts.part import Part, Say, Step, with_settings
from stack.process import Command, run_logged

PEERS = ("accounts", "booking", "payments", "reviews", "search")
SHARED_MIGRATIONS = REPOSITORY / "mesh" / "data" / "migrations"
# Passed on when the user has set them; everything else of ours is decided here.
PASSED_ON = ("STAYMESH_LOG_LEVEL", "STAYMESH_OTLP_URL")


@dataclass(frozen=True, kw_only=True)
class Service:
    """One process of ours: its package, its arguments, whose identity and database it has."""

    name: str
    identity: str
    arguments: tuple[str, ...] = ()
    follows_kafka: bool = False

    @property
    def package(self) -> str:
        return f"{self.identity}_svc"


SERVICES = (
    Service(name="accounts", identity="accounts"),
    Service(name="booking", identity="booking"),
    Service(name="payments", identity="payments"),
    Service(name="reviews", identity="reviews"),
    Service(name="search", identity="search"),
    Service(name="indexer", identity="search", arguments=("indexer",), follows_kafka=True),
    *(
        Service(
            name=f"shard-{index}",
            identity="search",
            arguments=("shard", "--index", str(index), "--of", str(SEARCH_SHARDS)),
            follows_kafka=True,
        )
        for index in range(SEARCH_SHARDS)
    ),
)


QUICK = ("valkey", "stripe", "mail")
NAMES = tuple(service.name for service in SERVICES)


@dataclass(frozen=True, kw_only=True)
class World:
    """What the services are told about everything around them."""

    settings: Settings
    urls: dict[str, str]
    keys: Keys


def parts(world: World) -> Iterator[Part | Step]:
    """Return a migration for each database, and each process after its own migration.

    Kafka and Elasticsearch are slow to start, and the services can do without them for a while;
    only those that follow topics wait until there are any.
    """
    for identity in PEERS:
        yield _migration(world, identity)
    for service in SERVICES:
        topics = ("topics",) if service.follows_kafka else ()
        needs = (f"migrate-{service.identity}", *QUICK, *topics)
        yield _part(world, service, needs=needs, uses=("topics", "elasticsearch"))


def environment(world: World, service: Service) -> dict[str, str]:
    """Return the whole environment of one process (see mesh.app for what each means)."""
    ports, urls, keys = world.settings.ports, world.urls, world.keys
    values = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    values |= {
        "STAYMESH_LISTEN": f"{LOOPBACK}:{ports.service(service.name)}",
        "STAYMESH_METRICS_LISTEN": f"{LOOPBACK}:{ports.metrics(service.name)}",
        "STAYMESH_DATABASE_URL": urls[f"database-{service.identity}"],
        "STAYMESH_REDIS_URL": urls["valkey"],
        "STAYMESH_KAFKA_URL": urls["kafka"],
        "STAYMESH_ELASTICSEARCH_URL": urls["elasticsearch"],
        "STAYMESH_STRIPE_URL": urls["stripe"],
        "STAYMESH_STRIPE_KEY": world.settings.external.stripe_api_key or "sk_test_staymesh",
        "STAYMESH_SMTP_URL": urls["smtp"],
        "STAYMESH_JWKS_FILE": str(keys.token_jwks),
        "STAYMESH_SERVICE_JWKS_FILE": str(keys.service_jwks),
        "STAYMESH_SERVICE_KEY_FILE": str(keys.service_key(service.identity)),
        "STAYMESH_SERVICE_NAME": service.identity,
        "STAYMESH_PEER_SHARDS": ",".join(
            f"{LOOPBACK}:{ports.service(f'shard-{index}')}" for index in range(SEARCH_SHARDS)
        ),
        "STAYMESH_PUBLIC_URL": world.settings.edge_url,
        # One machine's index is small: whoever publishes a listing wants to find it now.
        "STAYMESH_INDEX_REFRESH_SECONDS": "1",
        "PYTHONUNBUFFERED": "1",
    }
    for peer in PEERS:
        values[f"STAYMESH_PEER_{peer.upper()}"] = f"{LOOPBACK}:{ports.service(peer)}"
    if service.identity == "accounts":
        values["STAYMESH_JWT_KEY_FILE"] = str(keys.token_key)
    return with_settings(values)


async def check(address: str) -> None:
    """Ask a process for its health by the gRPC health protocol. Raises NotReady."""
    async with grpc.aio.insecure_channel(address) as channel:
        ask = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = await ask(health_pb2.HealthCheckRequest(), timeout=5)
        except grpc.aio.AioRpcError as failure:
            raise NotReady(f"{failure.code().name}: {failure.details()}") from failure
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise NotReady("it says it is not serving")


def _part(world: World, service: Service, *, needs: tuple[str, ...], uses: tuple[str, ...]) -> Part:
    ports = world.settings.ports
    address = f"{LOOPBACK}:{ports.service(service.name)}"
    argv = (sys.executable, "-m", service.package, *service.arguments)
    return Part(
        name=service.name,
        command=Command(argv=argv, env=environment(world, service), cwd=REPOSITORY),
        ready=lambda: check(address),
        needs=needs,
        uses=uses,
        ports=(ports.service(service.name), ports.metrics(service.name)),
        address=address,
        stop_seconds=15.0,
    )


def _migration(world: World, identity: str) -> Step:
    """Bring one database up to date; costs one query when its files have not changed.

    The digest of the files is a comment on the database itself, so it cannot outlive it.
    """
    name = f"migrate-{identity}"
    service = Service(name=identity, identity=identity)
    url = world.urls[f"database-{identity}"]

    async def run(say: Say) -> None:
        digest = migrations_digest(REPOSITORY / service.package / "store" / "migrations")
        connection = await asyncpg.connect(url)
        try:
            done = await connection.fetchval(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
                " WHERE datname = current_database()"
            )
            if done == digest:
                return
            say("bringing its database up to date")
            await _migrate(world, service, log=world.settings.logs / f"{name}.log")
            database = await connection.fetchval("SELECT current_database()")
            await connection.execute(f"COMMENT ON DATABASE {database} IS '{digest}'")
        finally:
            await connection.close()

    return Step(name=name, run=run, needs=("databases",))


async def _migrate(world: World, service: Service, *, log: Path) -> None:
    command = Command(
        argv=(sys.executable, "-m", service.package, "migrate"),
        env=environment(world, service),
        cwd=REPOSITORY,
    )
    if code := await run_logged(command, log):
        raise StackError(
            f"the migrations of {service.package} failed (code {code})",
            f"see `staymesh logs {log.stem}`",
        )


def migrations_digest(folder: Path) -> str:
    """Return one digest of a service's migrations and of those that all services share."""
    digest = hashlib.sha256()
    for path in sorted([*SHARED_MIGRATIONS.glob("*.sql"), *folder.glob("*.sql")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"migrations {digest.hexdigest()}"
