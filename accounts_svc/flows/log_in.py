"""Log in.

1. Count the attempt before it is judged; the same for addresses that nobody has.
2. Find the person by address. For an unknown address look for nobody, at the same cost.
3. Check the password, against nobody's hash if need be: one answer for both ways to be wrong.
4. Only now say that the address is not proven.
5. Hash the password again if the parameters have changed; write the session.
6. Forget the attempts, and sign an access token.
"""

from dataclasses import dataclass
from datetime import timedelta

from accounts_svc.domain.address import Address
from accounts_svc.domain.attempts import LOG_IN
from accounts_svc.domain.session import EmailNotVerified, InvalidCredentials, Session
from accounts_svc.domain.user import Account, User
from accounts_svc.flows.needs import AccessTokens, Passwords
from accounts_svc.store.emails import Emails
from accounts_svc.store.sessions import Sessions
from accounts_svc.store.users import Users
from mesh.aio import Principal
from mesh.clock import Clock, epoch_ms
from mesh.ids import bucket_of, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """Who is signed in, and the token that proves it for so long."""

    user: User
    access_token: str
    life: timedelta


@dataclass(frozen=True, kw_only=True)
class LogIn:
    """Exchange an address and a password for an access token."""

    clock: Clock
    emails: Emails
    users: Users
    sessions: Sessions
    passwords: Passwords
    tokens: AccessTokens
    token_life: timedelta

    async def __call__(self, email: str, password: str) -> LoggedIn:
        """Log in; raise TooManyAttempts, InvalidCredentials, EmailNotVerified."""
        address = Address.of(email)
        await self.emails.count_attempt(LOG_IN, address, self.clock.now())
        account = await self._prove(address, password)
        if not account.user.email_verified:
            raise EmailNotVerified("confirm your e-mail address first: see your mail")
        session = await self._open_session(account, password)
        await self.emails.forget_attempts(LOG_IN, address)
        user = account.user
        principal = Principal(user.user_id, frozenset(user.roles), session.session_id)
        return LoggedIn(user=user, access_token=self.tokens.sign(principal), life=self.token_life)

    async def _prove(self, address: Address, password: str) -> Account:
        owner = await self.emails.owner(address)
        account = await self.users.account(owner or address.nobody)
        known_hash = account.password_hash if account else ""
        right = await self.passwords.check(known_hash or self.passwords.nobodys_hash, password)
        if account is None or not known_hash or not right:
            raise InvalidCredentials("the e-mail address or the password is wrong")
        return account

    async def _open_session(self, account: Account, password: str) -> Session:
        old_hash, now = account.password_hash, self.clock.now()
        outdated = self.passwords.is_outdated(old_hash)
        user_id = account.user.user_id
        session = Session(
            session_id=new_id("ses", now_ms=epoch_ms(now), bucket=bucket_of(user_id)),
            user_id=user_id,
            created_at=now,
            expires_at=now + self.token_life,
        )
        new_hash = await self.passwords.hash(password) if outdated else None
        await self.sessions.open(session, old_hash=old_hash, new_hash=new_hash)
        return session
