"""Sign up.

1. Refuse an empty name or a weak password: that says nothing about the address.
2. Count the attempt: each sends a mail to somebody who may not want it.
3. Hash the password, also when it will not be needed.
4. Claim the address in the directory: the person is the new id, or the one that was there first,
   whose own sign-up may have ended right here.
5. Write the person and the token, with the event. A proven person stays as they are.
6. After the commit, mail the token; or, to a proven person, that they have an account.

Both outcomes take the same steps, so neither the answer nor its time tells them apart.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts_svc.domain.address import Address
from accounts_svc.domain.attempts import SIGN_UP
from accounts_svc.domain.mail import already_a_member, prove_address
from accounts_svc.domain.name import clean_name, first_name
from accounts_svc.domain.password import check_password
from accounts_svc.domain.user import CREATED, User, UserChanged, roles_of
from accounts_svc.domain.verification import SECRET_BYTES, PendingSignUp, Token
from accounts_svc.flows.needs import Mailer, Passwords
from accounts_svc.store.emails import Emails
from accounts_svc.store.users import Users
from mesh.clock import Clock, epoch_ms
from mesh.ids import bucket_of, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """What somebody says of themselves."""

    email: str
    password: str
    first_name: str
    last_name: str
    host: bool


@dataclass(frozen=True, kw_only=True)
class SignUp:
    """Make an account that waits for its address to be proven."""

    clock: Clock
    emails: Emails
    users: Users
    passwords: Passwords
    mailer: Mailer
    public_url: str
    token_life: timedelta

    async def __call__(self, applicant: Applicant) -> None:
        """Sign up; raise NameEmpty, PasswordWeak, TooManyAttempts, Unavailable."""
        first, last = first_name(applicant.first_name), clean_name(applicant.last_name)
        check_password(applicant.password, about=(applicant.email, first, last))
        now, address = self.clock.now(), Address.of(applicant.email)
        await self.emails.count_attempt(SIGN_UP, address, now)
        password_hash = await self.passwords.hash(applicant.password)
        user_id = await self.emails.claim(address, new_id("usr", now_ms=epoch_ms(now)), now)
        token = Token(bucket_of(user_id), secrets.token_bytes(SECRET_BYTES))
        sign_up = PendingSignUp(
            user_id=user_id,
            email=address.text,
            password_hash=password_hash,
            first_name=first,
            last_name=last,
            roles=roles_of(host=applicant.host),
            token_digest=token.digest,
            created_at=now,
            expires_at=now + self.token_life,
        )
        if await self.users.settle(sign_up, _created(sign_up, now)):
            mail = prove_address(address.text, token.text, self.public_url, self.token_life)
        else:
            mail = already_a_member(address.text, self.public_url)
        await self.mailer.send(mail)


def _created(sign_up: PendingSignUp, now: datetime) -> UserChanged:
    user = User(
        user_id=sign_up.user_id,
        email=sign_up.email,
        first_name=sign_up.first_name,
        last_name=sign_up.last_name,
        roles=sign_up.roles,
        email_verified=False,
        superhost=False,
        created_at=now,
    )
    return UserChanged(kind=CREATED, user=user, occurred_at=now)
