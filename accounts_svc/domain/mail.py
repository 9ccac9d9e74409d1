"""What we write to an address. Nothing a stranger typed is in it, so it carries no spam."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A plain-text message to one address."""

    to: str
    subject: str
    text: str


def prove_address(to: str, token: str, public_url: str, life: timedelta) -> Mail:
    """Return the mail with the token that proves the address."""
    link = f"{public_url.rstrip('/')}/verify-email?token={quote(token)}"
    hours = round(life.total_seconds() / 3600)
    return Mail(
        to=to,
        subject="Confirm your e-mail address",
        text=(
            "Welcome to Staymesh.\n\n"
            "Confirm that this address is yours:\n\n"
            f"{link}\n\n"
            "or paste this where you are asked for it:\n\n"
            f"Token: {token}\n\n"
            f"It is good for {hours} hours. If you did not sign up, do nothing: without the token\n"
            "there is no account.\n"
        ),
    )


def already_a_member(to: str, public_url: str) -> Mail:
    """Return the mail to an address that somebody tried to sign up with again."""
    return Mail(
        to=to,
        subject="You already have an account",
        text=(
            "Somebody, hopefully you, tried to sign up at Staymesh with this address.\n"
            "It has an account already, and nothing about it was changed. Log in here:\n\n"
            f"{public_url.rstrip('/')}/login\n\n"
            "If it was not you, you can ignore this message.\n"
        ),
    )
