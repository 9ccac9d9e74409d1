"""What is printed once the stack is up: where everything is, who can log in, what to try first."""

from datetime import timedelta

from rich.console import Console

from mesh.clock import Clock, SystemClock
from stack.parts import demo
from stack.state import Status
from stack.world import DEMO_PASSWORD, GUEST_EMAIL, HOST_EMAIL


def say(console: Console, status: Status, took_seconds: float) -> None:
    """Print that the stack is up, and the summary."""
    console.print(f"[bold green]Staymesh is up[/] after {took_seconds:.1f} s.\n")
    for line in lines(status, SystemClock()):
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    console.print()


def lines(status: Status, clock: Clock) -> list[str]:
    """Return the summary of a stack that is ready."""
    edge = status.urls["edge"]
    if "envoy" not in status.parts:
        return [f"{name:<14} {status.urls[name]}" for name in status.urls if name in status.parts]
    first = (clock.now() + timedelta(days=30)).date()
    last = first + timedelta(days=3)
    grpc = " ".join(
        f"{name} {status.parts[name].address}"
        for name in ("accounts", "booking", "payments", "reviews", "search")
    )
    return [
        f"JSON API   {edge}   (its OpenAPI document: {edge}/openapi.json)",
        f"gRPC       {grpc}",
        f"Mail       every message the services send: staymesh mail   ({status.urls['smtp']})",
        *_accounts(status),
        "Try        "
        f"curl '{edge}/api/v1/search?location=Lisbon&checkIn={first}&checkOut={last}&guests=2'",
    ]


def _accounts(status: Status) -> list[str]:
    """Return the two people of the demo world, when it was loaded."""
    if demo.STEP not in status.parts:
        return []
    return [
        f"Log in     guest {GUEST_EMAIL}, host {HOST_EMAIL}, password {DEMO_PASSWORD}",
    ]
