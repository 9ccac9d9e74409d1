"""Kafka: one node that is broker and controller (KRaft)."""

import asyncio
import base64
import logging
import subprocess
import uuid
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from stack.config import LOOPBACK, Settings
from stack.errors import NotReady, StackError
from stack.jars import kafka as kafka_jars
from stack.parts import java
from stack.parts.part import Part, inherited_environment
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
    flags = ["-XX:TieredStopAtLevel=1", f"-Dlog4j2.configurationFile={root / 'log4j2.properties'}"]

    def run(main: str, *arguments: str) -> list[str]:
        class_path = ["-cp", f"{jars}/lib/*"]
        return java.command(
            heap_megabytes=HEAP_MEGABYTES,
            temporary=root / "tmp",
            flags=flags,
            main=[*class_path, main, *arguments],
        )

    properties = root / "server.properties"
    storage = run("kafka.tools.StorageTool", "format", "-c", str(properties), "-t", _cluster_id())

    async def prepare() -> None:
        await asyncio.to_thread(kafka_jars.install, settings.cache)
        (root / "tmp").mkdir(parents=True, exist_ok=True)
        _configure(settings, root)
        if not (root / "data" / "meta.properties").exists():
            await asyncio.to_thread(_format, [*storage, "--ignore-formatted"], root)

    return Part(
        name="kafka",
        command=Command(
            argv=tuple(run("kafka.Kafka", str(properties))), env=inherited_environment(), cwd=root
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


def _configure(settings: Settings, root: Path) -> None:
    (root / "log4j2.properties").write_text(LOGGING)
    (root / "server.properties").write_text(
        PROPERTIES.format(
            host=LOOPBACK,
            port=settings.ports.kafka,
            controller=settings.ports.kafka_controller,
            data=root / "data",
        )
    )


def _cluster_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")


def _format(argv: list[str], root: Path) -> None:
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise StackError(
            f"Kafka cannot format its storage: {lines[-1] if lines else done.returncode}",
            f"see that {root} can be written; remove it to begin anew (its events are lost)",
        )
