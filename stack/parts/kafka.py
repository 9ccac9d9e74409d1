"""Kafka: one node that is broker and controller (KRaft)."""

import asyncio
import base64
import logging
import shutil
import subprocess
import uuid
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from mesh.bus.topics import BusUnavailable, ensure_topics
from stack.config import LOOPBACK, Settings
from stack.errors import NotReady, StackError
from stack.jars import kafka as kafka_jars
from stack.jars import training
from stack.parts import java
from stack.parts.part import Part, Say, inherited_environment
from stack.process import Command

# The client logs each refused connection, and probes of a starting broker meet many.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

HEAP_MEGABYTES = 256
# Session and heartbeat are short: with the defaults a restart after a kill takes 11 s.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
num.network.threads=2
num.io.threads=4
background.threads=2
num.recovery.threads.per.data.dir=1
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.segment.bytes=16777216
log.cleaner.dedupe.buffer.size=4194304
log.retention.hours=168
log.index.size.max.bytes=1048576
log.flush.offset.checkpoint.interval.ms=10000
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
"""
LOGGING = """\
status=warn
appender.c.type=Console
appender.c.name=C
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=[%d] %p %m (%c)%n
rootLogger.level=WARN
rootLogger.appenderRef.c.ref=C
"""


def part(settings: Settings) -> Part:
    """Return the Kafka node of this data folder; preparing it fetches the jars if need be."""
    jars = kafka_jars.location(settings.cache)
    root = settings.home / "kafka"

    async def prepare(say: Say) -> None:
        if not jars.is_dir():
            say("fetching its jars (38 MB)")
        await asyncio.to_thread(kafka_jars.install, settings.cache)
        if not training.is_done(jars):
            say("learning to start quicker, once on this machine")
        await _train(settings, jars, root / "training")
        await asyncio.to_thread(_lay_out, settings, jars, root)

    return Part(
        name="kafka",
        command=Command(
            argv=tuple(_broker(jars, root, training.flag(jars))),
            env=inherited_environment(),
            cwd=root,
        ),
        prepare=prepare,
        ready=lambda: check(url(settings)),
        ports=(settings.ports.kafka, settings.ports.kafka_controller),
        address=url(settings),
        stop_seconds=20.0,
    )


def url(settings: Settings) -> str:
    """Return the bootstrap address of our own node."""
    return f"{LOOPBACK}:{settings.ports.kafka}"


async def check(bootstrap: str) -> None:
    """Prove that a broker has joined its cluster: an open port alone means nothing here.

    Raises NotReady.
    """
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5000)
    try:
        await client.start()
        cluster = await client.describe_cluster()
    except (KafkaError, OSError) as failure:
        raise NotReady(f"{type(failure).__name__}: {failure}") from failure
    finally:
        await client.close()
    if not cluster.get("cluster_id") or not cluster.get("brokers"):
        raise NotReady("the cluster has no broker yet")


async def create_topics(bootstrap: str) -> None:
    """Create the topics of the mesh that are missing. Raises StackError."""
    try:
        await ensure_topics(bootstrap)
    except BusUnavailable as failure:
        raise StackError(
            f"cannot create the topics: {failure}", "see `staymesh logs kafka`"
        ) from failure


def _java(jars: Path, root: Path, flag: str, main: list[str]) -> list[str]:
    logging_file = f"-Dlog4j2.configurationFile={root / 'log4j2.properties'}"
    return java.command(
        heap_megabytes=HEAP_MEGABYTES,
        temporary=root / "tmp",
        flags=["-XX:TieredStopAtLevel=1", logging_file, flag],
        main=["-cp", f"{jars}/lib/*", *main],
    )


def _broker(jars: Path, root: Path, flag: str) -> list[str]:
    return _java(jars, root, flag, ["kafka.Kafka", str(root / "server.properties")])


async def _train(settings: Settings, jars: Path, scratch: Path) -> None:
    """Start a broker on a scratch folder once, on the ports that the real one takes next."""
    if training.is_done(jars):
        return
    await asyncio.to_thread(_lay_out, settings, jars, scratch)
    await training.train_once(
        jars, scratch, lambda flag: _broker(jars, scratch, flag), lambda: check(url(settings))
    )
    shutil.rmtree(scratch)


def _lay_out(settings: Settings, jars: Path, root: Path) -> None:
    """Write the configuration, and format the storage where that was not done."""
    (root / "tmp").mkdir(parents=True, exist_ok=True)
    (root / "log4j2.properties").write_text(LOGGING)
    properties = root / "server.properties"
    properties.write_text(
        PROPERTIES.format(
            host=LOOPBACK,
            port=settings.ports.kafka,
            controller=settings.ports.kafka_controller,
            data=root / "data",
        )
    )
    if not (root / "data" / "meta.properties").exists():
        _format(jars, root, properties)


def _format(jars: Path, root: Path, properties: Path) -> None:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
    main = ["kafka.tools.StorageTool", "format", "-c", str(properties), "-t", cluster]
    argv = _java(jars, root, training.flag(jars), [*main, "--ignore-formatted"])
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise StackError(
            f"Kafka cannot format its storage: {lines[-1] if lines else done.returncode}",
            f"see that {root} can be written; remove it to begin anew (its events are lost)",
        )
