"""The fields of Inside Airbnb's files: prices as "$1,234.00", baths as "1.5 shared baths", lists as
JSON in a string. Each reader gives None for an empty field and raises ValueError for a wrong one.
"""

import json
import re
from decimal import Decimal, InvalidOperation

_PRICE = re.compile(r"^[^\d-]*([\d,]+(?:\.\d+)?)$")
_BATHS = re.compile(r"^(\d+(?:\.\d+)?)\b.*\bbaths?$")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_MAX_AMENITIES = 200
# Names that people filter by, and the words that say them in the files.
_KNOWN = {
    "wifi": ("wifi", "wi fi", "wireless internet"),
    "kitchen": ("kitchen",),
    "parking": ("parking", "garage", "carport"),
    "pool": ("pool",),
    "air_conditioning": ("air conditioning", "ac split", "central air"),
    "heating": ("heating", "radiant heating"),
    "washer": ("washer", "laundry"),
    "dryer": ("dryer",),
    "tv": ("tv", "hdtv"),
    "gym": ("gym", "exercise equipment"),
    "hot_tub": ("hot tub", "jacuzzi"),
    "workspace": ("workspace", "work space"),
    "pet_friendly": ("pets allowed",),
    "elevator": ("elevator", "lift"),
    "breakfast": ("breakfast",),
    "crib": ("crib", "pack n play"),
    "ev_charger": ("ev charger",),
    "smoke_alarm": ("smoke alarm", "smoke detector"),
}
_NOT = {"dryer": ("hair dryer",), "pool": ("pool table", "pool view"), "kitchen": ("kitchenette",)}


def price_minor(text: str, exponent: int) -> int | None:
    """Read "$1,234.00" as minor units of a currency with `exponent` decimals."""
    if not text.strip():
        return None
    match = _PRICE.match(text.strip())
    if match is None:
        raise ValueError("price")
    try:
        minor = Decimal(match[1].replace(",", "")).scaleb(exponent)
    except InvalidOperation:
        raise ValueError("price") from None
    return int(minor.to_integral_value())


def whole(text: str) -> int | None:
    """Read "2" or "2.0" as a whole number of zero or more."""
    if not text.strip():
        return None
    number = Decimal(text) if re.fullmatch(r"\d+(\.0+)?", text.strip()) else None
    if number is None:
        raise ValueError("number")
    return int(number)


def bathrooms(number: str, text: str) -> float | None:
    """Read `bathrooms`, or `bathrooms_text` as "1.5 shared baths" or "Private half-bath"."""
    if number.strip():
        return float(Decimal(number.strip()))
    words = text.strip().lower()
    if not words:
        return None
    if words.endswith("half-bath"):
        return 0.5
    match = _BATHS.match(words)
    if match is None:
        raise ValueError("bathrooms")
    return float(match[1])


def true(text: str) -> bool:
    """Read "t" or "f"; an empty field is false."""
    if text not in ("t", "f", ""):
        raise ValueError("flag")
    return text == "t"


def amenities(text: str) -> list[str]:
    """Read a JSON list of names as slugs, with the plain name added that people filter by.

    >>> amenities('["Fast wifi", "Free parking on premises"]')
    ['fast_wifi', 'free_parking_on_premises', 'parking', 'wifi']
    """
    if not text.strip():
        return []
    names = json.loads(text)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("amenities")
    found: set[str] = set()
    known: set[str] = set()
    for name in names:
        words = _NOT_SLUG.sub(" ", name.lower()).strip()
        found.add(words.replace(" ", "_")[:60].strip("_"))
        known |= {plain for plain in _KNOWN if _says(words, plain)}
    rest = sorted(found - known - {""})[: _MAX_AMENITIES - len(known)]
    return sorted([*known, *rest])


def _says(words: str, plain: str) -> bool:
    padded = f" {words} "
    if any(f" {no} " in padded for no in _NOT.get(plain, ())):
        return False
    return any(f" {yes} " in padded for yes in _KNOWN[plain])
