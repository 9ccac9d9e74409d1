"""The mail sink: takes every message that the services send and keeps it for `staymesh mail`."""

import asyncio
import sys

from stack.config import LOOPBACK, REPOSITORY, Settings
from stack.errors import NotReady
from stack.parts.part import Part, inherited_environment
from stack.process import Command


def part(settings: Settings) -> Part:
    """Return the mail sink of this data folder."""
    address = f"{LOOPBACK}:{settings.ports.smtp}"
    argv = (sys.executable, "-m", "stack.mailbox", address, str(settings.mailbox))
    return Part(
        name="mail",
        command=Command(argv=argv, env=inherited_environment(), cwd=REPOSITORY),
        ready=lambda: check(settings.ports.smtp),
        ports=(settings.ports.smtp,),
        address=url(settings),
    )


def url(settings: Settings) -> str:
    """Return the URL that the services send mail to."""
    return f"smtp://{LOOPBACK}:{settings.ports.smtp}"


async def check(port: int) -> None:
    """Prove that a mail server greets and answers. Raises NotReady."""
    try:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        try:
            greeting = await reader.readline()
            writer.write(b"NOOP\r\n")
            answer = await reader.readline()
        finally:
            writer.close()
    except OSError as failure:
        raise NotReady(str(failure)) from failure
    if not greeting.startswith(b"220") or not answer.startswith(b"250"):
        raise NotReady(f"it answers {answer!r}")
