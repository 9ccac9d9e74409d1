"""The mail server, the password hash and the signing key."""

import asyncio
import json
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar
from urllib.parse import unquote, urlsplit

import aiosmtplib
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from accounts_svc.domain.mail import Mail
from mesh.aio import Principal, Semaphore, remaining, within
from mesh.clock import Clock
from mesh.errors import Exhausted, Unavailable
from mesh.rpc.identity import sign_user_token
from mesh.rpc.keys import KeyFileError, jwk_of, read_private_key

T = TypeVar("T")
_SMTP_SECONDS: Final = 10.0
_MOST_WAITING: Final = 256
_SMTP_PORT: Final = {"smtp": 25, "smtps": 465}


class MailNotTaken(Unavailable):
    """The mail server cannot be reached or refuses; signing up again sends another mail."""

    reason = "MAIL_NOT_TAKEN"


class PasswordsBusy(Exhausted):
    """Too many people sign in at this moment."""

    reason = "PASSWORDS_BUSY"


class SmtpMailer:
    """Send mail by SMTP, a connection for each message, with TLS where the server offers it."""

    def __init__(self, url: str, sender: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _SMTP_PORT or not parts.hostname:
            raise ValueError("STAYMESH_SMTP_URL is smtp://host:port or smtps://host:port")
        self._host = parts.hostname
        self._port = parts.port or _SMTP_PORT[parts.scheme]
        self._tls = parts.scheme == "smtps"
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._sender = sender

    async def send(self, mail: Mail) -> None:
        """Hand a message to the server; raise MailNotTaken, DeadlineExceeded."""
        try:
            async with within(None if remaining() is not None else _SMTP_SECONDS):
                await aiosmtplib.send(
                    self._message(mail),
                    recipients=[mail.to],
                    hostname=self._host,
                    port=self._port,
                    username=self._user,
                    password=self._password,
                    use_tls=self._tls,
                    timeout=None,  # the request's deadline is the one there is
                )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailNotTaken("the mail cannot be sent now; try again") from error

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Message-ID"] = make_msgid(domain="staymesh")
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's machine answers it
        message.set_content(mail.text)
        return message


class Argon2Passwords:
    """Hash by argon2id, 19 MiB, two passes, one lane (OWASP's first choice), in few threads.

    Blocks: until a thread is free, within the request's deadline. Cancels: what has not begun.
    Fails: PasswordsBusy when too many wait.
    """

    def __init__(self, threads: int = 0) -> None:
        threads = threads or max(1, (os.cpu_count() or 1) // 2)
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._slots = Semaphore(threads)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self.nobodys_hash = self._hasher.hash(secrets.token_bytes(32))

    async def hash(self, password: str) -> str:
        """Return a new salted hash in the PHC string format."""
        return await self._off_loop(lambda: self._hasher.hash(password))

    async def check(self, password_hash: str, password: str) -> bool:
        """Return whether the password has this hash."""
        return await self._off_loop(lambda: self._check(password_hash, password))

    def is_outdated(self, password_hash: str) -> bool:
        """Return whether a new hash would be made with other parameters."""
        return self._hasher.check_needs_rehash(password_hash)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _off_loop(self, work: Callable[[], T]) -> T:
        if self._slots.waiting >= _MOST_WAITING:
            raise PasswordsBusy("too many people are signing in", retry_after_seconds=1.0)
        async with self._slots.hold():
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)


class SignedTokens:
    """Sign access tokens with our key, under the name that the published keys give it."""

    def __init__(self, key_file: Path, jwks: bytes, *, clock: Clock, life: timedelta) -> None:
        self._key = read_private_key(key_file)
        public = jwk_of(self._key.public_key(), "")["x"]
        named = [key["kid"] for key in json.loads(jwks)["keys"] if key.get("x") == public]
        if not named:
            raise KeyFileError(f"{key_file}: its public half is not among the published keys")
        self._key_id: str = named[0]
        self._clock = clock
        self._life = life

    def sign(self, principal: Principal) -> str:
        """Return a token that speaks for `principal`."""
        return sign_user_token(
            self._key, self._key_id, principal, clock=self._clock, life=self._life
        )
