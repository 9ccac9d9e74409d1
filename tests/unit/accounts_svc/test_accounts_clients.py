"""Password hashing off the loop, the signing key, the mail server."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope
from argon2 import PasswordHasher
from cryptography.hazmat.primitives import serialization

from accounts_svc.clients import Argon2Passwords, MailNotTaken, SignedTokens, SmtpMailer
from accounts_svc.domain.mail import Mail
from mesh.aio import Principal
from mesh.clock import SystemClock
from mesh.rpc.identity import UserTokens
from mesh.rpc.keys import KeyFileError, KeySet, jwk_of
from mesh.testing import Keyring

MAIL = Mail(to="ada@example.com", subject="Hello", text="Token: x\n")


async def test_a_password_is_hashed_by_argon2id_with_19_mib_and_checked() -> None:
    async with Argon2Passwords(threads=1) as passwords:
        hashed = await passwords.hash("a-stay-by-the-sea")
        assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert await passwords.check(hashed, "a-stay-by-the-sea")
        assert not await passwords.check(hashed, "a-stay-by-the-lake")
        assert not await passwords.check(passwords.nobodys_hash, "a-stay-by-the-sea")
        assert not await passwords.check("garbage", "a-stay-by-the-sea")
        assert not passwords.is_outdated(hashed)
        assert passwords.is_outdated(PasswordHasher(memory_cost=64, time_cost=1).hash("x"))


def files(folder: Path, keys: Keyring, *, published: Keyring) -> tuple[Path, bytes]:
    pem = keys.user_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "tokens.pem").write_bytes(pem)
    jwks = {"keys": [jwk_of(published.user_key.public_key(), "current")]}
    (folder / "jwks.json").write_text(json.dumps(jwks))
    return folder / "tokens.pem", json.dumps(jwks).encode()


def test_the_mesh_believes_a_token_that_we_sign(tmp_path: Path) -> None:
    keys = Keyring()
    key_file, jwks = files(tmp_path, keys, published=keys)
    tokens = SignedTokens(key_file, jwks, clock=SystemClock(), life=timedelta(hours=1))
    principal = Principal("usr_1", frozenset({"guest", "host"}), "ses_1")
    verifier = UserTokens(KeySet.from_file(tmp_path / "jwks.json"))
    assert verifier.verify(tokens.sign(principal)) == principal


def test_a_key_that_is_not_published_is_refused_at_start(tmp_path: Path) -> None:
    key_file, jwks = files(tmp_path, Keyring(), published=Keyring())
    with pytest.raises(KeyFileError, match="published"):
        SignedTokens(key_file, jwks, clock=SystemClock(), life=timedelta(hours=1))


class Inbox:
    """Keep what an SMTP server is handed, or refuse it."""

    def __init__(self, answer: str = "250 kept") -> None:
        self.answer = answer
        self.kept: list[Envelope] = []

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:  # noqa: N802
        self.kept.append(envelope)
        return self.answer


@asynccontextmanager
async def served(inbox: Inbox) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(inbox, loop=loop), "127.0.0.1", 0)
    async with server:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_mail_reaches_the_server() -> None:
    inbox = Inbox()
    async with served(inbox) as url:
        await SmtpMailer(url, "Staymesh <no-reply@staymesh.example>").send(MAIL)
    (envelope,) = inbox.kept
    assert envelope.rcpt_tos == ["ada@example.com"]
    assert envelope.mail_from == "no-reply@staymesh.example"
    assert isinstance(envelope.content, bytes)
    assert b"Token: x" in envelope.content


async def test_a_server_that_refuses_or_is_gone_is_unavailable() -> None:
    async with served(Inbox("451 later")) as url:
        mailer = SmtpMailer(url, "no-reply@staymesh.example")
        with pytest.raises(MailNotTaken):
            await mailer.send(MAIL)
    with pytest.raises(MailNotTaken):
        await mailer.send(MAIL)


def test_a_mail_url_of_another_kind_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="STAYMESH_SMTP_URL"):
        SmtpMailer("http://127.0.0.1:25", "x@y.example")
