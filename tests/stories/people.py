"""People who use the JSON API as anybody would: over HTTP, with what the mailbox holds."""

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

from mesh.clock import SystemClock
from stack import mailbox

PASSWORD = "a quiet house by the sea"
TODAY = SystemClock().now().date()


def day(ahead: int) -> str:
    """Return the date so many days from today, as the API writes it."""
    return (TODAY + timedelta(days=ahead)).isoformat()


@dataclass
class Person:
    """Somebody with an account; their token goes with each call."""

    api: httpx.AsyncClient
    email: str
    user_id: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.api.get(path, params=query, headers=self.headers)

    async def post(self, path: str, body: Any = None, key: str | None = None) -> httpx.Response:
        return await self._send("POST", path, body, key)

    async def put(self, path: str, body: Any = None, key: str | None = None) -> httpx.Response:
        return await self._send("PUT", path, body, key)

    async def book(self, stay: dict[str, Any], key: str | None = None) -> httpx.Response:
        """Book, with a key of its own unless one is given."""
        return await self.post("/api/v1/bookings", stay, key or uuid.uuid4().hex)

    async def _send(self, verb: str, path: str, body: Any, key: str | None) -> httpx.Response:
        headers = self.headers | ({"idempotency-key": key} if key else {})
        return await self.api.request(verb, path, json=body or {}, headers=headers)


def stay(listing_id: str, first: int, nights: int, **more: Any) -> dict[str, Any]:
    """Return the body of a booking for two with a card that works."""
    return {
        "listingId": listing_id,
        "checkIn": day(first),
        "checkOut": day(first + nights),
        "guests": 2,
        "paymentMethodId": "pm_card_visa",
    } | more


def ok(response: httpx.Response) -> dict[str, Any]:
    """Return the answer's JSON; fail with what it says when it is not a 200."""
    assert response.status_code == 200, f"{response.status_code}: {response.text}"
    answer: dict[str, Any] = response.json()
    return answer


def refused(response: httpx.Response, status: int, reason: str) -> dict[str, Any]:
    """Check the one error shape, the status and the reason; return the reason's metadata."""
    assert response.headers["content-type"].startswith("application/json"), response.text
    body = response.json()
    assert set(body) == {"code", "message", "details"}, body
    info = body["details"][0]
    assert info["@type"] == "type.googleapis.com/google.rpc.ErrorInfo", body
    assert (response.status_code, info["reason"]) == (status, reason), body
    metadata: dict[str, Any] = info.get("metadata", {})
    return metadata


async def sign_up(api: httpx.AsyncClient, mail: Path, *, host: bool = False) -> Person:
    """Sign up, read the mail, prove the address, log in."""
    person = Person(api, f"{uuid.uuid4().hex}@people.example")
    body = {
        "email": person.email,
        "password": PASSWORD,
        "firstName": "Ada",
        "lastName": "Nkemdi",
        "host": host,
    }
    ok(await api.post("/api/v1/auth/signup", json=body))
    token = await eventually(lambda: _token(mail, person.email))
    ok(await api.post("/api/v1/auth/verify-email", json={"token": token}))
    return await log_in(person)


async def log_in(person: Person, password: str = PASSWORD) -> Person:
    """Fetch an access token."""
    body = {"email": person.email, "password": password}
    answer = ok(await person.api.post("/api/v1/auth/login", json=body))
    person.user_id = answer["user"]["userId"]
    person.headers = {"authorization": f"Bearer {answer['accessToken']}"}
    return person


async def _token(mail: Path, address: str) -> str | None:
    messages = list(mailbox.read(mail, address))
    return messages[-1].tokens[0] if messages else None


def usual_listing(**own: Any) -> dict[str, Any]:
    """Return the body of a listing in a city that few others are in."""
    return {
        "title": "Boathouse on the lake",
        "description": "Quiet.<script>alert(1)</script> <b>Two rooms.</b>",
        "propertyType": "PROPERTY_TYPE_HOUSE",
        "address": {
            "street": "1 Lake Road",
            "city": "Reykjavik",
            "countryCode": "IS",
            "postalCode": "101",
        },
        "location": {"latitude": 64.1466, "longitude": -21.9426},
        "maxGuests": 4,
        "bedrooms": 2,
        "beds": 3,
        "bathrooms": 1.5,
        "amenities": ["wifi", "kitchen"],
        "basePrice": {"currencyCode": "EUR", "units": "120"},
        "cleaningFee": {"currencyCode": "EUR", "units": "40"},
        "minNights": 2,
        "maxNights": 30,
        "instantBook": True,
        "cancellationPolicy": "CANCELLATION_POLICY_FLEXIBLE",
    } | own


async def publish(host: Person, **own: Any) -> dict[str, Any]:
    """Create a listing and publish it."""
    draft = ok(await host.post("/api/v1/listings", usual_listing(**own)))
    return ok(await host.post(f"/api/v1/listings/{draft['listingId']}/publish"))


async def eventually(look: Callable[[], Awaitable[Any]], *, within_seconds: float = 10.0) -> Any:
    """Return the first answer of `look` that is true; fail when there is none in time."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within_seconds
    while True:
        found = await look()
        if found:
            return found
        assert loop.time() < end, f"not within {within_seconds} s"
        await asyncio.sleep(0.05)


async def search_all(person: Person, **query: Any) -> list[dict[str, Any]]:
    """Return the results of all pages."""
    results: list[dict[str, Any]] = []
    token = ""
    while True:
        answer = ok(await person.get("/api/v1/search", pageSize=50, pageToken=token, **query))
        results += answer["results"]
        token = answer["nextPageToken"]
        if not token:
            return results


async def found(person: Person, listing_id: str, **query: Any) -> dict[str, Any] | None:
    """Return the listing's search result near Reykjavik, if it is among the results."""
    results = await search_all(person, lat=64.1466, lng=-21.9426, **query)
    return next((result for result in results if result["listingId"] == listing_id), None)


def minor(money: dict[str, Any]) -> int:
    """Return hundredths of a two-decimal amount."""
    return int(money["units"]) * 100 + int(money.get("nanos", 0)) // 10_000_000


def nights_between(first: str, last: str) -> int:
    """Return how many nights lie between two dates."""
    return (date.fromisoformat(last) - date.fromisoformat(first)).days


CODE = re.compile(r"^[A-Z0-9]{6}$")
