"""What the flows need of the outside; `clients` and `app` give it, tests give fakes."""

from typing import Protocol

from accounts_svc.domain.mail import Mail
from mesh.aio import Principal


class Mailer(Protocol):
    """Send mail."""

    async def send(self, mail: Mail) -> None:
        """Hand a message to the mail server; raise Unavailable when it is not taken."""
        ...


class Passwords(Protocol):
    """Hash and check passwords, slowly on purpose, off the event loop."""

    nobodys_hash: str
    """A hash that no password has, to check against where there is no person."""

    async def hash(self, password: str) -> str:
        """Return a new salted hash; raise Exhausted when too many wait."""
        ...

    async def check(self, password_hash: str, password: str) -> bool:
        """Return whether the password has this hash; raise Exhausted when too many wait."""
        ...

    def is_outdated(self, password_hash: str) -> bool:
        """Return whether a new hash would be made with other parameters."""
        ...


class AccessTokens(Protocol):
    """Sign access tokens."""

    def sign(self, principal: Principal) -> str:
        """Return a token that speaks for `principal`."""
        ...
