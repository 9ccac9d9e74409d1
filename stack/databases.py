"""One database and one login role for each service, with the extensions that need a superuser."""

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from stack.errors import StackError
from stack.passwords import Passwords

SERVICES = ("accounts", "booking", "payments", "search", "reviews")
EXTENSIONS = ("btree_gist", "cube", "earthdistance", "pg_trgm")


@dataclass(frozen=True, kw_only=True)
class Server:
    """A PostgreSQL server: its superuser's URL, and the passwords of our roles."""

    admin_url: str
    passwords: Passwords

    def url(self, service: str) -> str:
        """Return the URL by which that service reaches its own database."""
        role = role_of(service)
        parts = urlsplit(self.admin_url)
        host = parts.netloc.rpartition("@")[2]
        login = f"{role}:{self.passwords.of(role)}@{host}"
        return urlunsplit(parts._replace(netloc=login, path=f"/{role}"))

    def admin_of(self, database: str) -> str:
        """Return the superuser's URL of one database."""
        return urlunsplit(urlsplit(self.admin_url)._replace(path=f"/{database}"))


def role_of(service: str) -> str:
    """Return the name that a service's database and its login role share."""
    return f"staymesh_{service}"


async def create(server: Server) -> None:
    """Make what is missing; changes nothing where all is there. Raises StackError."""
    try:
        admin = await asyncpg.connect(server.admin_url)
        try:
            for service in SERVICES:
                await _role_and_database(admin, role_of(service), server.passwords)
        finally:
            await admin.close()
        for service in SERVICES:
            await _extensions(server.admin_of(role_of(service)))
    except asyncpg.PostgresError as failure:
        raise StackError(
            f"cannot prepare the databases: {failure}",
            "the user in STAYMESH_POSTGRES_URL must be a superuser of that server",
        ) from failure


async def _role_and_database(
    admin: "asyncpg.Connection[asyncpg.Record]", name: str, passwords: Passwords
) -> None:
    """Make both, and let nobody else into the database.

    Names are ours and passwords hexadecimal: neither needs quoting, and DDL takes no arguments.
    """
    known = await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
    verb = "ALTER" if known else "CREATE"
    await admin.execute(f"{verb} ROLE {name} LOGIN PASSWORD '{passwords.of(name)}'")
    if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
        await admin.execute(f"CREATE DATABASE {name} OWNER {name} TEMPLATE template0")
        await admin.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")


async def _extensions(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        for extension in EXTENSIONS:
            await connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension} SCHEMA public")
    finally:
        await connection.close()
