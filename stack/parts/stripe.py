"""The stand-in for Stripe: our own stateful sandbox of the calls we make."""

import sys

import httpx

from stack.config import LOOPBACK, REPOSITORY, Settings
from stack.errors import NotReady
from stack.parts.part import Part, Say, inherited_environment
from stack.process import Command

REAL_URL = "https://api.stripe.com"
SANDBOX_KEY = "sk_test_staymesh"


def part(settings: Settings) -> Part:
    """Return the sandbox of this data folder; its objects outlive a restart."""
    data = settings.home / "stripe"
    listen = f"{LOOPBACK}:{settings.ports.stripe}"
    argv = (sys.executable, "-m", "stack.stripe_sandbox", "--listen", listen, "--data", str(data))

    async def prepare(_say: Say) -> None:
        data.mkdir(exist_ok=True)

    return Part(
        prepare=prepare,
        name="stripe",
        command=Command(argv=argv, env=inherited_environment(), cwd=REPOSITORY),
        ready=lambda: check(url(settings), SANDBOX_KEY),
        ports=(settings.ports.stripe,),
        address=url(settings),
    )


def url(settings: Settings) -> str:
    """Return the address of the API: the sandbox's, or with a key of yours the real one's."""
    if settings.external.stripe_api_key:
        return REAL_URL
    return f"http://{LOOPBACK}:{settings.ports.stripe}"


async def check(address: str, key: str) -> None:
    """Prove that the API answers and takes our key. Raises NotReady."""
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            answer = await client.get(f"{address}/v1/balance", auth=(key, ""))
    except httpx.HTTPError as failure:
        raise NotReady(f"{type(failure).__name__}: {failure}") from failure
    if answer.status_code != 200:
        raise NotReady(f"it answers HTTP {answer.status_code}")
