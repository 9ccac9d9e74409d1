"""Passwords of the local databases: random, made once, kept in the data folder (mode 0600)."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

FILE = "passwords.json"


@dataclass(frozen=True, kw_only=True)
class Passwords:
    """The passwords by role name."""

    by_role: dict[str, str]

    def of(self, role: str) -> str:
        return self.by_role[role]


def load_or_make(home: Path, roles: tuple[str, ...]) -> Passwords:
    """Read the passwords, making those that are missing."""
    path = home / FILE
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = [role for role in roles if role not in known]
    if missing:
        # Hexadecimal: nothing in it needs quoting, in a URL or in SQL.
        known |= {role: secrets.token_hex(16) for role in missing}
        draft = path.with_suffix(".tmp")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(known, out)
        draft.replace(path)
    return Passwords(by_role=known)
