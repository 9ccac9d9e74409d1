"""The composition root: opens what the process needs and wires it."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from staymesh.accounts.v1 import accounts_pb2_grpc as rpc

from accounts_svc.clients import Argon2Passwords, SignedTokens, SmtpMailer
from accounts_svc.config import Settings
from accounts_svc.flows.get_user import GetUserFlow
from accounts_svc.flows.import_users import ImportUsersFlow
from accounts_svc.flows.log_in import LogInFlow
from accounts_svc.flows.log_out import LogOutFlow
from accounts_svc.flows.needs import Mailer, Passwords
from accounts_svc.flows.sign_up import SignUpFlow
from accounts_svc.flows.sweep import SweepFlow
from accounts_svc.flows.verify_email import VerifyEmailFlow
from accounts_svc.service import AuthServicer, UserServicer
from accounts_svc.store.emails import Emails
from accounts_svc.store.sessions import Sessions
from accounts_svc.store.users import Users
from mesh import app as mesh_app
from mesh.app import App, Mount
from mesh.clock import Clock
from mesh.data import migrate
from mesh.data.postgres import PostgresSettings, Shards

MIGRATIONS: Final = Path(__file__).parent / "store" / "migrations"
AUTH: Final = "staymesh.accounts.v1.AuthService"
USERS: Final = "staymesh.accounts.v1.UserService"


def postgres(settings: Settings) -> PostgresSettings:
    """Return where our database is."""
    return PostgresSettings(url=settings.database_url, application_name="accounts")


async def build(settings: Settings, app: App) -> Sequence[Mount]:
    """Open the database, the hashing threads and the mailer; start the workers; wire."""
    shards = await app.enter_async_context(await Shards.open(postgres(settings)))
    passwords = await app.enter_async_context(Argon2Passwords(settings.hash_threads))
    mailer = SmtpMailer(settings.smtp_url, settings.mail_from)
    sweep = SweepFlow(
        clock=app.clock, emails=Emails(shards), users=Users(shards), sessions=Sessions(shards)
    )
    app.background("sweep", sweep.forever(timedelta(seconds=settings.sweep_seconds)))
    return wire(settings, clock=app.clock, shards=shards, passwords=passwords, mailer=mailer)


def wire(
    settings: Settings, *, clock: Clock, shards: Shards, passwords: Passwords, mailer: Mailer
) -> Sequence[Mount]:
    """Put flows and servicers together; raise KeyFileError when our key is not published."""
    emails, users, sessions = Emails(shards), Users(shards), Sessions(shards)
    token_life = timedelta(seconds=settings.access_token_seconds)
    jwks = settings.jwks_file.read_bytes()
    auth = AuthServicer(
        sign_up=SignUpFlow(
            clock=clock,
            emails=emails,
            users=users,
            passwords=passwords,
            mailer=mailer,
            public_url=settings.public_url,
            token_life=timedelta(seconds=settings.verification_token_seconds),
        ),
        verify_email=VerifyEmailFlow(clock=clock, users=users),
        log_in=LogInFlow(
            clock=clock,
            emails=emails,
            users=users,
            sessions=sessions,
            passwords=passwords,
            tokens=SignedTokens(settings.jwt_key_file, jwks, clock=clock, life=token_life),
            token_life=token_life,
        ),
        log_out=LogOutFlow(clock=clock, sessions=sessions),
        jwks=jwks,
    )
    profiles = UserServicer(
        get_user=GetUserFlow(users=users),
        import_users=ImportUsersFlow(clock=clock, emails=emails, users=users, passwords=passwords),
    )
    return (
        Mount(auth, rpc.add_AuthServiceServicer_to_server, AUTH),
        Mount(profiles, rpc.add_UserServiceServicer_to_server, USERS),
    )


def main() -> None:
    """Serve, or migrate."""
    mesh_app.main(
        build, Settings, migrate=lambda settings: migrate.run(postgres(settings), MIGRATIONS)
    )
