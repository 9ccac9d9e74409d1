"""The sandbox inside the test: its application called directly, on a file of the test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from mesh.clock import FixedClock
from stack.stripe_sandbox.app import make_app
from stack.stripe_sandbox.objects import Objects

NOW: Final = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
HOLD: Final = {
    "amount": "10000",
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "automatic_payment_methods[enabled]": "true",
    "automatic_payment_methods[allow_redirects]": "never",
    "capture_method": "manual",
    "confirm": "true",
    "metadata[booking_id]": "bkg_1",
}
INTENTS: Final = "/v1/payment_intents"


class Api:
    """Stripe's API as curl would speak it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def post(self, path: str, data: dict[str, str], key: str = "") -> httpx.Response:
        headers = {"idempotency-key": key} if key else {}
        return await self.client.post(path, data=data, headers=headers)

    async def get(self, path: str, **query: str) -> httpx.Response:
        return await self.client.get(path, params=query)

    async def hold(self, key: str = "", **changes: str) -> dict[str, Any]:
        """Put a hold on a card and return the intent."""
        answer = await self.post(INTENTS, {**HOLD, **changes}, key)
        assert answer.status_code == 200, answer.text
        intent: dict[str, Any] = answer.json()
        return intent

    async def fault(self, call: str, trouble: str, **more: object) -> None:
        answer = await self.client.post(
            "/_sandbox/faults", json={"call": call, "trouble": trouble, **more}
        )
        assert answer.status_code == 200, answer.text

    async def count(self) -> int:
        """Return how many intents there are."""
        return len((await self.get(INTENTS, limit="100")).json()["data"])


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Api]:
    """Open the sandbox over a folder; opened again, it is the same one after a crash."""
    with Objects(folder / "stripe.sqlite3", FixedClock(NOW)) as objects:
        transport = httpx.ASGITransport(make_app(objects))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://stripe", auth=("sk_test_1", "")
        ) as client:
            yield Api(client)
