"""The parts and steps of one start, in their order: the composition root of the stack."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from stack import databases, keys, passwords
from stack.config import Settings
from stack.errors import NotReady, StackError
from stack.parts import demo, elasticsearch, envoy, kafka, mail, postgres, services, stripe, valkey
from stack.parts.part import Node, Part, Say, Step
from stack.parts.services import World

VARIABLES = {
    "postgres": "STAYMESH_POSTGRES_URL",
    "valkey": "STAYMESH_REDIS_URL",
    "kafka": "STAYMESH_KAFKA_URL",
    "elasticsearch": "STAYMESH_ELASTICSEARCH_URL",
    "stripe": "STRIPE_API_KEY",
}
TEST_KEYS = ("sk_test_", "rk_test_")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a start does, and the URLs by which its parts are reached."""

    nodes: tuple[Node, ...]
    urls: dict[str, str]

    def only(self, names: Iterable[str]) -> "Plan":
        """Return the plan of these nodes and of all they need. Raises StackError."""
        by_name = {node.name: node for node in self.nodes}
        wanted: set[str] = set()
        open_names = list(names)
        while open_names:
            name = open_names.pop()
            if name not in by_name:
                raise StackError(
                    f"there is no part named {name}", f"there are: {', '.join(by_name)}"
                )
            if name not in wanted:
                wanted.add(name)
                open_names += by_name[name].needs + by_name[name].uses
        return Plan(nodes=tuple(node for node in self.nodes if node.name in wanted), urls=self.urls)

    def without(self, name: str) -> "Plan":
        """Return the plan less one step that nothing needs."""
        return Plan(nodes=tuple(node for node in self.nodes if node.name != name), urls=self.urls)

    def ports(self) -> list[tuple[str, int]]:
        """Return every port that will be listened on, with its part's name."""
        return [
            (node.name, port)
            for node in self.nodes
            if isinstance(node, Part)
            for port in node.ports
        ]


def make(settings: Settings) -> Plan:
    """Lay out the whole stack for these settings; starts nothing."""
    roles = (postgres.SUPERUSER, *(databases.role_of(name) for name in databases.SERVICES))
    secrets = passwords.load_or_make(settings.home, roles)
    outside = settings.external
    admin_url = outside.postgres_url or postgres.url(settings, secrets.of(postgres.SUPERUSER))
    server = databases.Server(admin_url=admin_url, passwords=secrets)
    urls = {
        "postgres": admin_url,
        "valkey": outside.redis_url or valkey.url(settings),
        "kafka": outside.kafka_url or kafka.url(settings),
        "elasticsearch": outside.elasticsearch_url or elasticsearch.url(settings),
        "stripe": stripe.url(settings),
        "smtp": mail.url(settings),
        "edge": settings.edge_url,
        **{f"database-{name}": server.url(name) for name in databases.SERVICES},
    }
    world = World(settings=settings, urls=urls, keys=keys.make(settings.keys))
    nodes = [
        *_stores(settings, urls, secrets.of(postgres.SUPERUSER)),
        *_vendors(settings, urls),
        Step(name="databases", run=lambda _: databases.create(server), needs=("postgres",)),
        Step(name="topics", run=lambda _: kafka.create_topics(urls["kafka"]), needs=("kafka",)),
        *services.parts(world),
        envoy.part(settings, world.keys, needs=services.PEERS),
        demo.step(settings, urls["postgres"], needs=("envoy", *services.NAMES)),
    ]
    return Plan(nodes=tuple(nodes), urls=urls)


def _vendors(settings: Settings, urls: dict[str, str]) -> Iterable[Node]:
    yield mail.part(settings)
    key = settings.external.stripe_api_key
    if key is None:
        yield stripe.part(settings)
    elif not key.startswith(TEST_KEYS):
        raise StackError(
            "STRIPE_API_KEY is not a test key, and this stack books with it",
            "give one that begins with sk_test_, or leave it out to use the sandbox",
        )
    else:
        yield _elsewhere("stripe", urls, lambda url: stripe.check(url, key))


def _stores(settings: Settings, urls: dict[str, str], password: str) -> Iterable[Node]:
    outside = settings.external
    if outside.postgres_url:
        yield _elsewhere("postgres", urls, postgres.check)
    else:
        yield postgres.part(settings, password=password)
    if outside.redis_url:
        yield _elsewhere("valkey", urls, valkey.check)
    else:
        yield valkey.part(settings)
    if outside.kafka_url:
        yield _elsewhere("kafka", urls, kafka.check)
    else:
        yield kafka.part(settings)
    if outside.elasticsearch_url:
        yield _elsewhere("elasticsearch", urls, elasticsearch.check)
    else:
        yield elasticsearch.part(settings)


def _elsewhere(name: str, urls: dict[str, str], check: Callable[[str], Awaitable[None]]) -> Step:
    """Check a part that somebody else runs, once, instead of starting our own."""

    async def run(_say: Say) -> None:
        try:
            await check(urls[name])
        except NotReady as lack:
            raise StackError(
                f"the {name} given by {VARIABLES[name]} does not answer: {lack}",
                "correct the URL, or leave it out to have the stack start its own",
            ) from lack

    return Step(name=name, run=run, external=True, address=without_password(urls[name]))


def without_password(url: str) -> str:
    """Return the URL as it may be shown."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
