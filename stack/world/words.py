"""The words of the demo world."""

import random

from staymesh.booking.v1 import listings_pb2

FIRST_NAMES = (
    "Amara", "Ben", "Chiara", "Dario", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Kenji",
    "Lena", "Mateo", "Nadia", "Oskar", "Priya", "Quinn", "Rosa", "Samir", "Tomas", "Uma", "Vera",
    "Wei", "Yara", "Zoe",
)  # fmt: skip
STREETS = (
    "Garden Street", "Mill Lane", "Station Road", "Harbour Street", "Orchard Road", "Church Lane",
    "Market Street", "Bridge Road", "Chestnut Street", "River Walk",
)  # fmt: skip
PRAISE = (
    "Just as described, and cleaner than home.",
    "We slept well and left late.",
    "The light in the morning is worth the stay alone.",
    "A kind host who answered within minutes.",
    "Small, but everything has its place.",
    "We would come back tomorrow.",
)
REMARKS = (
    "The bakery round the corner opens at seven.",
    "The street can be lively on Fridays.",
    "Bring good shoes for the stairs.",
    "The tram stops outside the door.",
    "The kitchen has all one needs to cook for four.",
    "The bed is firm, as we like it.",
)
_ADJECTIVES = ("Bright", "Quiet", "Sunny", "Cosy", "Airy", "Charming", "Modern", "Restored")
_EXTRAS = ("with balcony", "near the park", "with a view", "by the market", "on the top floor", "")
_NOUNS = {
    listings_pb2.PROPERTY_TYPE_APARTMENT: ("apartment", "flat", "loft", "studio"),
    listings_pb2.PROPERTY_TYPE_ROOM: ("room", "guest room", "room in a family home"),
    listings_pb2.PROPERTY_TYPE_HOUSE: ("house", "townhouse", "cottage"),
    listings_pb2.PROPERTY_TYPE_VILLA: ("villa", "villa with garden"),
}
_DESCRIPTIONS = (
    "A calm place in {quarter} to come back to after a day in {city}.",
    "In the heart of {quarter}: cafés downstairs, the rest of {city} a short ride away.",
    "Our own home in {quarter} while we travel; treat it as yours.",
    "Newly done up, with everything that a longer stay in {city} needs.",
)
# How many of a hundred homes have it.
_AMENITIES = {
    "wifi": 97, "kitchen": 85, "heating": 75, "smoke_alarm": 80, "washer": 60, "tv": 70,
    "workspace": 45, "air_conditioning": 45, "parking": 35, "dryer": 30, "elevator": 30,
    "pet_friendly": 22, "crib": 15, "pool": 8, "gym": 8, "breakfast": 7, "hot_tub": 5,
    "ev_charger": 4,
}  # fmt: skip


def title(rng: random.Random, kind: "listings_pb2.PropertyType.ValueType", quarter: str) -> str:
    """Return a title such as "Sunny loft with balcony in Graça"."""
    parts = (rng.choice(_ADJECTIVES), rng.choice(_NOUNS[kind]), rng.choice(_EXTRAS))
    return f"{' '.join(part for part in parts if part)} in {quarter}"


def description(rng: random.Random, city: str, quarter: str) -> str:
    """Return a sentence or two about the home."""
    return rng.choice(_DESCRIPTIONS).format(city=city, quarter=quarter)


def amenities(rng: random.Random) -> list[str]:
    """Return what the home has, in the order of the alphabet."""
    return sorted(name for name, share in _AMENITIES.items() if rng.random() * 100 < share)
