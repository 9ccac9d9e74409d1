"""Sessions: what a log-in leaves, and a log-out ends."""

from datetime import datetime
from pathlib import Path
from typing import Final

from accounts_svc.domain.session import Session
from mesh.data.postgres import Shards
from mesh.data.sql import load

_q: Final = load(Path(__file__).with_name("sessions.sql"))


class Sessions:
    """The sessions of all shards; each beside its person."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def open(self, session: Session, *, old_hash: str, new_hash: str | None) -> None:
        """Write a session; with `new_hash` also that, if the person still has `old_hash`."""
        await self._shards.write(
            self._shards.of(session.user_id),
            _q.open_session,
            session.session_id,
            session.user_id,
            session.created_at,
            session.expires_at,
            new_hash,
            old_hash,
        )

    async def revoke(self, session_id: str, user_id: str, now: datetime) -> None:
        """End a session, if it is the person's and has not ended."""
        shard = self._shards.of(user_id)
        await self._shards.write(
            shard, _q.revoke_session, session_id, user_id, now, idempotent=True
        )

    async def purge(self, before: datetime) -> None:
        """Delete sessions that ended before an instant."""
        for shard in self._shards.numbers:
            await self._shards.write(shard, _q.purge_sessions, before, idempotent=True)
