"""The composition root: opens what the process needs and wires it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from staymesh.accounts.v1 import accounts_pb2_grpc as rpc

from accounts_svc.clients import Argon2Passwords, SignedTokens, SmtpMailer
from accounts_svc.config import AccountsSettings
from accounts_svc.flows.get_user import GetUser
from accounts_svc.flows.import_users import ImportUsers
from accounts_svc.flows.log_in import LogIn
from accounts_svc.flows.log_out import LogOut
from accounts_svc.flows.needs import Mailer, Passwords
from accounts_svc.flows.purge import Purge
from accounts_svc.flows.sign_up import SignUp
from accounts_svc.flows.verify_email import VerifyEmail
from accounts_svc.service import AuthServicer, Flows, UserServicer
from accounts_svc.store.emails import Emails
from accounts_svc.store.sessions import Sessions
from accounts_svc.store.users import Users
from mesh import app as mesh_app
from mesh.app import App, Mount
from mesh.bus import Producer
from mesh.clock import Clock
from mesh.data import migrate
from mesh.data.outbox import Relay
from mesh.data.postgres import PostgresSettings, Shards

MIGRATIONS: Final = Path(__file__).parent / "store" / "migrations"
AUTH: Final = "staymesh.accounts.v1.AuthService"
USERS: Final = "staymesh.accounts.v1.UserService"


@dataclass(frozen=True, kw_only=True)
class Service:
    """What the process serves, and what it does by itself."""

    flows: Flows
    jwks: bytes
    purge: Purge

    def mounts(self) -> Sequence[Mount]:
        """Return the servicers, each behind its contract."""
        auth, users = AuthServicer(self.flows, self.jwks), UserServicer(self.flows)
        return (
            Mount(auth, rpc.add_AuthServiceServicer_to_server, AUTH),
            Mount(users, rpc.add_UserServiceServicer_to_server, USERS),
        )


def postgres(settings: AccountsSettings) -> PostgresSettings:
    """Return where our database is."""
    return PostgresSettings(url=settings.database_url, application_name="accounts")


def wire(
    shards: Shards,
    settings: AccountsSettings,
    *,
    clock: Clock,
    passwords: Passwords,
    mailer: Mailer,
) -> Service:
    """Put stores, flows and workers together; raise KeyFileError when our key is not published."""
    emails, users, sessions = Emails(shards), Users(shards), Sessions(shards)
    life = timedelta(seconds=settings.access_token_seconds)
    jwks = settings.jwks_file.read_bytes()
    flows = Flows(
        sign_up=SignUp(
            clock=clock,
            emails=emails,
            users=users,
            passwords=passwords,
            mailer=mailer,
            public_url=settings.public_url,
            token_life=timedelta(seconds=settings.verification_token_seconds),
        ),
        verify_email=VerifyEmail(clock=clock, users=users),
        log_in=LogIn(
            clock=clock,
            emails=emails,
            users=users,
            sessions=sessions,
            passwords=passwords,
            tokens=SignedTokens(settings.jwt_key_file, jwks, clock=clock, life=life),
            token_life=life,
        ),
        log_out=LogOut(clock=clock, sessions=sessions),
        get_user=GetUser(users=users),
        import_users=ImportUsers(clock=clock, emails=emails, users=users, passwords=passwords),
    )
    purge = Purge(clock=clock, emails=emails, users=users, sessions=sessions)
    return Service(flows=flows, jwks=jwks, purge=purge)


async def build(settings: AccountsSettings, app: App) -> Sequence[Mount]:
    """Open the database, Kafka, the hashing threads and the mailer; start the workers."""
    shards = await app.enter_async_context(await Shards.open(postgres(settings)))
    producer = await app.enter_async_context(Producer(settings.kafka_url))
    service = wire(
        shards,
        settings,
        clock=app.clock,
        passwords=await app.enter_async_context(Argon2Passwords(settings.hash_threads)),
        mailer=SmtpMailer(settings.smtp_url, settings.mail_from),
    )
    app.background("relay", Relay(shards, producer).run())
    app.background("purge", service.purge.forever(settings.purge_every_seconds))
    return service.mounts()


def main() -> None:
    """Serve, or migrate."""
    mesh_app.main(
        build,
        AccountsSettings,
        migrate=lambda settings: migrate.run(postgres(settings), MIGRATIONS),
    )
