"""Elasticsearch: one node, loopback only, made of published jars (see stack.jars)."""

import asyncio
import shutil
from pathlib import Path

import httpx

from stack.config import LOOPBACK, Settings
from stack.errors import NotReady
from stack.jars import elasticsearch as elasticsearch_jars
from stack.jars import training
from stack.parts import java
from stack.parts.part import Part, Say, inherited_environment
from stack.process import Command

HEAP_MEGABYTES = 512
CONFIGURATION = """\
cluster.name: staymesh
node.name: local-0
path.data: {root}/data
path.logs: {root}/logs
network.host: {host}
http.port: {port}
transport.port: {transport}
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
"""
LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}][%node_name]%marker %m%n
# Native libraries are not among the published jars; it says so at length and goes on without.
logger.native.name = org.elasticsearch.nativeaccess
logger.native.level = error
logger.vectors.name = org.elasticsearch.simdvec
logger.vectors.level = error
logger.lucene.name = org.apache.lucene.internal.vectorization
logger.lucene.level = error
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""
FLAGS = [
    "-Xss1m",
    "-XX:TieredStopAtLevel=1",
    "-XX:-OmitStackTraceInFastThrow",
    "-Dfile.encoding=UTF-8",
    "-Dio.netty.noUnsafe=true",
    "-Dio.netty.noKeySetOptimization=true",
    "-Dio.netty.recycler.maxCapacityPerThread=0",
    "-Dlog4j.shutdownHookEnabled=false",
    "-Dlog4j2.disable.jmx=true",
    "-Djava.locale.providers=CLDR",
    "-Des.networkaddress.cache.ttl=60",
    "-Des.networkaddress.cache.negative.ttl=10",
    "-Des.distribution.type=tar",
    "-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false",
    "--enable-native-access=ALL-UNNAMED",
]


def part(settings: Settings) -> Part:
    """Return the node of this data folder; preparing it fetches the jars if need be."""
    jars = elasticsearch_jars.location(settings.cache)
    root = settings.home / "elasticsearch"

    async def prepare(say: Say) -> None:
        if not jars.is_dir():
            say("fetching its jars (46 MB)")
        await asyncio.to_thread(elasticsearch_jars.install, settings.cache)
        if not training.is_done(jars):
            say("learning to start quicker, once on this machine")
        await _train(settings, jars, root / "training")
        _configure(settings, root)

    return Part(
        name="elasticsearch",
        command=Command(
            argv=tuple(_node(jars, root, training.flag(jars))),
            env=inherited_environment(),
            cwd=root,
        ),
        prepare=prepare,
        ready=lambda: check(url(settings)),
        ports=(settings.ports.elasticsearch, settings.ports.elasticsearch_transport),
        address=url(settings),
        stop_seconds=20.0,
    )


def url(settings: Settings) -> str:
    """Return the URL of our own node."""
    return f"http://{LOOPBACK}:{settings.ports.elasticsearch}"


async def check(address: str) -> None:
    """Prove that the cluster has a master and its primaries. Raises NotReady."""
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            answer = await client.get(f"{address}/_cluster/health")
    except httpx.HTTPError as failure:
        raise NotReady(f"{type(failure).__name__}: {failure}") from failure
    health = answer.json().get("status") if answer.status_code == 200 else None
    if health not in {"green", "yellow"}:
        raise NotReady(f"cluster health is {health or f'HTTP {answer.status_code}'}")


def _node(jars: Path, root: Path, flag: str) -> list[str]:
    homes = [f"-Des.path.home={jars}", f"-Des.path.conf={root / 'config'}"]
    return java.command(
        heap_megabytes=HEAP_MEGABYTES,
        temporary=root / "tmp",
        flags=[*FLAGS, *homes, flag],
        main=["-cp", f"{jars}/launcher.jar:{jars}/lib/*", "EsLauncher"],
    )


async def _train(settings: Settings, jars: Path, scratch: Path) -> None:
    """Start a node on a scratch folder once, on the ports that the real one takes next."""
    if training.is_done(jars):
        return
    _configure(settings, scratch)
    await training.train_once(
        jars, scratch, lambda flag: _node(jars, scratch, flag), lambda: check(url(settings))
    )
    shutil.rmtree(scratch)


def _configure(settings: Settings, root: Path) -> None:
    for folder in ("config", "tmp", "logs"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "config" / "log4j2.properties").write_text(LOGGING)
    (root / "config" / "elasticsearch.yml").write_text(
        CONFIGURATION.format(
            root=root,
            host=LOOPBACK,
            port=settings.ports.elasticsearch,
            transport=settings.ports.elasticsearch_transport,
        )
    )
