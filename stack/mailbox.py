"""A mailbox one can read: an SMTP sink that keeps each message as one line of JSON, and its reader.

`python -m stack.mailbox HOST:PORT FILE` runs the sink. It is for one machine only: it takes mail
for any address from anybody who reaches it, and sends nothing on.
"""

import asyncio
import email
import email.policy
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from mesh.clock import SystemClock

LINK = re.compile(r"https?://[^\s<>\"']+")
# What a link carries for its reader to hand in: `?token=...` or `#code=...`.
TOKEN = re.compile(r"[?&#](?:token|code)=([A-Za-z0-9._~-]+)")
LARGEST_MESSAGE_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Message:
    """One kept message."""

    received_at: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str

    @property
    def links(self) -> list[str]:
        return LINK.findall(self.text)

    @property
    def tokens(self) -> list[str]:
        return [found for link in self.links for found in TOKEN.findall(link)]


class Sink:
    """Appends each message to the file; the sender's 250 means that it is written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._clock = SystemClock()

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep one message."""
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        parsed = email.message_from_bytes(raw, policy=email.policy.default)
        body = parsed.get_body(("plain", "html")) if isinstance(parsed, EmailMessage) else None
        message = Message(
            received_at=self._clock.now().isoformat(),
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            subject=str(parsed["subject"] or ""),
            text=str(body.get_content()) if body is not None else "",
        )
        self._append(json.dumps(asdict(message)) + "\n")
        return "250 kept"

    def _append(self, line: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with os.fdopen(os.open(self._path, flags, 0o600), "w") as out:
            out.write(line)


def read(path: Path, address: str | None = None) -> Iterator[Message]:
    """Return the kept messages, oldest first; with an address only those sent to it."""
    if not path.exists():
        return
    with path.open() as lines:
        for line in lines:
            raw = json.loads(line)
            message = Message(**(raw | {"recipients": tuple(raw["recipients"])}))
            to = {recipient.lower() for recipient in message.recipients}
            if address is None or address.lower() in to:
                yield message


async def serve(host: str, port: int, path: Path) -> None:
    """Take mail until SIGTERM or SIGINT."""
    path.parent.mkdir(parents=True, exist_ok=True)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    sink = Sink(path)

    def protocol() -> SMTP:
        return SMTP(sink, loop=loop, data_size_limit=LARGEST_MESSAGE_BYTES, enable_SMTPUTF8=True)

    server = await loop.create_server(protocol, host, port)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    where, _, number = sys.argv[1].rpartition(":")
    asyncio.run(serve(where, int(number), Path(sys.argv[2])))
