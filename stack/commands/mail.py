"""`staymesh mail`: read what the services have sent to anybody."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from stack import config, mailbox
from stack.commands.options import Home
from stack.mailbox import Message

SHOWN = 20


def mail(
    address: Annotated[
        str | None, typer.Argument(help="Only mail to this address; the newest is shown whole.")
    ] = None,
    home: Home = None,
    token: Annotated[
        bool, typer.Option("--token", help="Print only the token in the newest message.")
    ] = False,
) -> None:
    """Show the mail that was sent: a list, and the newest message with its link and token.

    `TOKEN=$(staymesh mail you@example.com --token)` is for scripts. Exits with 1 when there is
    none.
    """
    found = list(mailbox.read(config.load(home=home).mailbox, address))
    newest = next((m for m in reversed(found) if m.tokens or not token), None)
    if newest is None:
        to = f" to {address}" if address else ""
        typer.echo(f"there is no mail{to} yet", err=True)
        raise typer.Exit(1)
    if token:
        typer.echo(newest.tokens[0])
        return
    console = Console()
    if len(found) > 1:
        console.print(_list(found[-SHOWN:]))
    _show(console, newest)


def _list(messages: list[Message]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("received", "to", "subject"):
        table.add_column(title)
    for message in messages:
        table.add_row(message.received_at[:19], ", ".join(message.recipients), message.subject)
    return table


def _show(console: Console, message: Message) -> None:
    console.rule(message.subject)
    console.print(f"to {', '.join(message.recipients)}, {message.received_at[:19]}")
    console.print(message.text.strip(), markup=False, highlight=False, soft_wrap=True)
    for link in message.links:
        console.print(f"link:  {link}", markup=False, highlight=False, soft_wrap=True)
    for value in message.tokens:
        console.print(f"token: {value}", markup=False, highlight=False, soft_wrap=True)
