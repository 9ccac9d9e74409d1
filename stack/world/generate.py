"""Makes the world: the same seed gives the same listings, hosts, nights and reviews."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from google.type import latlng_pb2, money_pb2
from staymesh.accounts.v1 import accounts_pb2
from staymesh.booking.v1 import listings_pb2
from staymesh.reviews.v1 import reviews_pb2

from pricing.money import exponent
from stack.loading import Record
from stack.world import words
from stack.world.cities import CITIES, City

SOURCE = "world"
GUEST_EMAIL = "guest@demo.staymesh"
HOST_EMAIL = "host@demo.staymesh"
# No secret: it opens two accounts of a made-up world on the machine that made it.
DEMO_PASSWORD = "a-stay-by-the-sea"  # noqa: S105
NIGHTS = 365
_LISTINGS_A_HOST = 3
_KM_A_DEGREE = 111.2
_TYPES = {
    listings_pb2.PROPERTY_TYPE_APARTMENT: 52,
    listings_pb2.PROPERTY_TYPE_ROOM: 26,
    listings_pb2.PROPERTY_TYPE_HOUSE: 17,
    listings_pb2.PROPERTY_TYPE_VILLA: 5,
}
# What a kind of home costs beside a usual apartment.
_WORTH = {
    listings_pb2.PROPERTY_TYPE_APARTMENT: 1.0,
    listings_pb2.PROPERTY_TYPE_ROOM: 0.5,
    listings_pb2.PROPERTY_TYPE_HOUSE: 1.4,
    listings_pb2.PROPERTY_TYPE_VILLA: 2.4,
}
_POLICIES = (
    listings_pb2.CANCELLATION_POLICY_FLEXIBLE,
    listings_pb2.CANCELLATION_POLICY_MODERATE,
    listings_pb2.CANCELLATION_POLICY_STRICT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A world of so many listings, its year of nights starting at `today`."""

    seed: int
    listings: int
    today: date

    def demo_accounts(self) -> list[accounts_pb2.ImportedUser]:
        """Return a guest and a host who can sign in."""
        return [
            accounts_pb2.ImportedUser(
                source_id="demo-guest", first_name="Ada", email=GUEST_EMAIL, password=DEMO_PASSWORD
            ),
            accounts_pb2.ImportedUser(
                source_id=_host_id(0),
                first_name="Noor",
                host=True,
                superhost=True,
                email=HOST_EMAIL,
                password=DEMO_PASSWORD,
            ),
        ]

    def records(self) -> Iterator[Record]:
        """Yield each listing with its host."""
        for number in range(self.listings):
            # A generator of its own for each listing: a bigger world has the smaller one in it.
            yield _record(number, random.Random(f"{self.seed}:{number}"), self.today)  # noqa: S311

    def reviews(self, listing_ids: dict[str, str]) -> Iterator[reviews_pb2.ImportedReview]:
        """Yield a few reviews of each listing that has been reviewed, for its page."""
        for source_id, listing_id in listing_ids.items():
            rng = random.Random(f"{self.seed}:reviews:{source_id}")  # noqa: S311
            for number in range(rng.choice((0, 2, 3, 5))):
                day = self.today - timedelta(days=rng.randrange(1, 700))
                yield reviews_pb2.ImportedReview(
                    source_id=f"{source_id}-{number}",
                    listing_id=listing_id,
                    reviewer_name=rng.choice(words.FIRST_NAMES),
                    text=f"{rng.choice(words.PRAISE)} {rng.choice(words.REMARKS)}",
                    date=day.isoformat(),
                )


def _record(number: int, rng: random.Random, today: date) -> Record:
    city = rng.choices(CITIES, [c.share for c in CITIES])[0]
    host_number = number // _LISTINGS_A_HOST
    # All that a host's listings share comes from the host, not from the listing.
    host_rng = random.Random(f"host:{host_number}")  # noqa: S311
    host = accounts_pb2.ImportedUser(
        source_id=_host_id(host_number),
        first_name=host_rng.choice(words.FIRST_NAMES),
        host=True,
        superhost=host_number == 0 or host_rng.random() < 0.25,
    )
    listing = _listing(city, rng, host.superhost)
    nights = _unavailable(rng)
    return host, listings_pb2.ImportedListing(
        source_id=f"listing-{number}",
        listing=listing,
        calendar_start=today.isoformat(),
        unavailable=nights.to_bytes((nights.bit_length() + 7) // 8, "little"),
        prices_minor=_season(city, listing, today),
    )


def _host_id(number: int) -> str:
    return f"host-{number}"


def _listing(city: City, rng: random.Random, superhost: bool) -> listings_pb2.Listing:
    kind = rng.choices(list(_TYPES), list(_TYPES.values()))[0]
    bedrooms = 1 if kind == listings_pb2.PROPERTY_TYPE_ROOM else rng.choice((0, 1, 1, 2, 2, 3, 4))
    guests = max(1, bedrooms * 2 + rng.choice((0, 0, 1, 2)))
    quarter = rng.choice(city.quarters)
    price = _round_price(
        city.night * _WORTH[kind] * (0.75 + 0.3 * bedrooms) * math.exp(rng.gauss(0, 0.25))
    )
    reviews = int(rng.expovariate(1 / 35))
    listing = listings_pb2.Listing(
        title=words.title(rng, kind, quarter),
        description=words.description(rng, city.name, quarter),
        property_type=kind,
        address=listings_pb2.Address(
            street=f"{rng.randrange(1, 240)} {rng.choice(words.STREETS)}",
            city=city.name,
            state=city.state,
            country_code=city.country_code,
        ),
        location=_near(city, rng),
        max_guests=guests,
        bedrooms=bedrooms,
        beds=max(1, bedrooms + rng.choice((0, 0, 1))),
        bathrooms=max(1.0, bedrooms * 0.5 + rng.choice((0, 0.5, 0.5, 1))),
        amenities=words.amenities(rng),
        base_price=_money(price, city.currency),
        cleaning_fee=_money(_round_price(price * rng.choice((0.2, 0.3, 0.4))), city.currency),
        min_nights=rng.choice((1, 1, 1, 2, 2, 3, 7)),
        max_nights=rng.choice((14, 30, 90, 365)),
        instant_book=rng.random() < 0.6,
        cancellation_policy=rng.choice(_POLICIES),
        check_in_time="15:00",
        check_out_time="11:00",
        rating=round(min(5.0, max(3.0, rng.gauss(4.7, 0.25))), 2) if reviews else 0.0,
        review_count=reviews,
        superhost=superhost,
    )
    if rng.random() < 0.5:
        listing.weekend_price.CopyFrom(_money(_round_price(price * 1.2), city.currency))
    return listing


def _near(city: City, rng: random.Random) -> latlng_pb2.LatLng:
    """Return a point near the centre; most homes lie within a few kilometres of it."""
    distance, angle = abs(rng.gauss(0, 3.5)), rng.uniform(0, 2 * math.pi)
    lat = city.lat + distance * math.cos(angle) / _KM_A_DEGREE
    width = _KM_A_DEGREE * math.cos(math.radians(city.lat))
    lng = city.lng + distance * math.sin(angle) / width
    return latlng_pb2.LatLng(latitude=round(lat, 5), longitude=round(lng, 5))


def _unavailable(rng: random.Random) -> int:
    """Return a year of stays as bits: fuller in the weeks ahead than in the months after."""
    bits, night = 0, 0
    fullness = rng.uniform(0.25, 0.85)
    while night < NIGHTS:
        stay = rng.choice((1, 2, 2, 3, 3, 4, 5, 7, 10))
        if rng.random() < fullness * math.exp(-night / 150):
            bits |= ((1 << stay) - 1) << night
        night += stay + rng.choice((0, 0, 1))
    return bits & ((1 << NIGHTS) - 1)


def _season(city: City, listing: listings_pb2.Listing, today: date) -> list[int]:
    """Return the prices of the city's best month, a quarter above the base; 0 elsewhere."""
    base = listing.base_price.units
    peak = _round_price(base * 1.25) * 10 ** exponent(city.currency)
    days = (today + timedelta(days=night) for night in range(NIGHTS))
    return [peak if day.month == city.peak_month else 0 for day in days]


def _round_price(units: float) -> int:
    """Round as hosts do: to two leading digits."""
    step: int = 10 ** max(0, len(str(int(units))) - 2)
    return max(1, round(units / step) * step)


def _money(units: int, currency: str) -> money_pb2.Money:
    return money_pb2.Money(currency_code=currency, units=units)
