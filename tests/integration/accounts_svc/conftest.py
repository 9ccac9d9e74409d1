"""Accounts on a real PostgreSQL, over real gRPC, with a mailbox in place of the mail server."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from cryptography.hazmat.primitives import serialization
from staymesh.accounts.v1 import accounts_pb2 as pb
from staymesh.accounts.v1 import accounts_pb2_grpc as rpc
from staymesh.events.v1 import events_pb2

from accounts_svc.app import MIGRATIONS, Service, wire
from accounts_svc.clients import Argon2Passwords, MailNotTaken
from accounts_svc.config import AccountsSettings
from accounts_svc.domain.mail import Mail
from mesh.aio import RequestContext, use_context
from mesh.clock import FixedClock
from mesh.data.migrate import migrate
from mesh.data.postgres import PostgresSettings, Shards
from mesh.data.sql import schema_of
from mesh.testing import LocalMesh

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
PASSWORD = "a-stay-by-the-sea"


@dataclass
class Mailbox:
    """Keeps mail; `stop` refuses it."""

    mails: list[Mail] = field(default_factory=list)
    stopped: bool = False

    async def send(self, mail: Mail) -> None:
        if self.stopped:
            raise MailNotTaken
        self.mails.append(mail)

    def tokens(self, email: str) -> list[str]:
        """Return the tokens that were sent to an address, oldest first."""
        texts = [mail.text for mail in self.mails if mail.to == email]
        return [token for text in texts for token in re.findall(r"^Token: (\S+)$", text, re.M)]


@dataclass(kw_only=True)
class World:
    """The service, what surrounds it, and an address of this test's own."""

    shards: Shards
    admin: "asyncpg.Connection[asyncpg.Record]"
    mesh: LocalMesh
    clock: FixedClock
    mailbox: Mailbox
    service: Service
    auth: Any
    users: Any
    email: str = field(default_factory=lambda: f"{uuid.uuid4().hex}@example.com")

    async def sign_up(self, **changes: Any) -> pb.SignUpResponse:
        fields = {"email": self.email, "password": PASSWORD, "first_name": "Ada"} | changes
        answer: pb.SignUpResponse = await self.auth.SignUp(pb.SignUpRequest(**fields))
        return answer

    async def verify(self, token: str | None = None) -> str:
        token = token or self.mailbox.tokens(self.email)[-1]
        answer = await self.auth.VerifyEmail(pb.VerifyEmailRequest(token=token))
        return str(answer.user_id)

    async def log_in(self, email: str | None = None, password: str = PASSWORD) -> pb.LogInResponse:
        request = pb.LogInRequest(email=email or self.email, password=password)
        answer: pb.LogInResponse = await self.auth.LogIn(request)
        return answer

    def bearing(self, token: str) -> Any:
        """Make the calls of the block with an access token."""
        return use_context(RequestContext(token=token))

    async def rows(self, table: str, where: str = "true", *args: Any) -> list[asyncpg.Record]:
        """Return the rows of all shards that meet a condition."""
        texts = [f"SELECT * FROM {schema_of(n)}.{table} WHERE {where}" for n in range(16)]
        return await self.admin.fetch(" UNION ALL ".join(texts), *args)

    async def events(self, user_id: str) -> list[events_pb2.Event]:
        """Return what was told of a person, in order."""
        rows = await self.rows("outbox", "partition_key = $1", user_id)
        found = sorted(rows, key=lambda row: row["id"])
        return [events_pb2.Event.FromString(row["payload"]) for row in found]


@pytest.fixture(scope="session")
def accounts_database(postgres_url: str) -> Iterator[str]:
    """The URL of a migrated database, made once: 16 schemas take a few seconds."""
    name = f"accounts_{uuid.uuid4().hex}"
    url = urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))

    async def administer(statement: str) -> None:
        admin = await asyncpg.connect(postgres_url)
        await admin.execute(statement)
        await admin.close()

    asyncio.run(administer(f"CREATE DATABASE {name} TEMPLATE template0"))
    asyncio.run(migrate(PostgresSettings(url=url), MIGRATIONS))
    yield url
    asyncio.run(administer(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def world(accounts_database: str, tmp_path: Path) -> AsyncIterator[World]:
    """The service, wired as in production but for the mail server."""
    clock, mailbox = FixedClock(NOW), Mailbox()
    admin = await asyncpg.connect(accounts_database)
    async with (
        LocalMesh(clock) as mesh,
        await Shards.open(PostgresSettings(url=accounts_database)) as shards,
        Argon2Passwords(threads=2) as passwords,
    ):
        settings = _settings(mesh, tmp_path, accounts_database)
        service = wire(shards, settings, clock=clock, passwords=passwords, mailer=mailbox)
        await mesh.serve("accounts", service.mounts())
        channel = await mesh.connect("accounts")
        yield World(
            shards=shards,
            admin=admin,
            mesh=mesh,
            clock=clock,
            mailbox=mailbox,
            service=service,
            auth=rpc.AuthServiceStub(channel),
            users=rpc.UserServiceStub(channel),
        )
    await admin.close()


def _settings(mesh: LocalMesh, folder: Path, database_url: str) -> AccountsSettings:
    mesh.keys.service_key("accounts")
    files = mesh.keys.write(folder, "accounts")
    (folder / "tokens.pem").write_bytes(
        mesh.keys.user_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return AccountsSettings(
        service_name="accounts",
        listen="127.0.0.1:0",
        jwks_file=Path(files["STAYMESH_JWKS_FILE"]),
        service_jwks_file=Path(files["STAYMESH_SERVICE_JWKS_FILE"]),
        service_key_file=Path(files["STAYMESH_SERVICE_KEY_FILE"]),
        database_url=database_url,
        kafka_url="",
        smtp_url="",
        public_url="http://127.0.0.1:8080",
        jwt_key_file=folder / "tokens.pem",
    )
