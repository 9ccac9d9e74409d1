"""The price of a stay, pure: the same rates and dates give the same integers everywhere.

Booking quotes with it and search shows totals with it, so the two cannot disagree. Amounts are
integers in the currency's minor unit (ISO 4217).
"""

from pricing.money import (
    InexactMoney,
    UnknownCurrency,
    exponent,
    from_decimal,
    from_units,
    share_minor,
    to_decimal,
    to_units,
)
from pricing.rates import Rates
from pricing.stay import (
    Breakdown,
    InvalidStay,
    NightKind,
    NightLine,
    TaxLine,
    price_stay,
    total_from_accommodation_minor,
    total_minor,
)
from pricing.taxes import TaxBase, TaxRule, resolve

__all__ = [
    "Breakdown",
    "InexactMoney",
    "InvalidStay",
    "NightKind",
    "NightLine",
    "Rates",
    "TaxBase",
    "TaxLine",
    "TaxRule",
    "UnknownCurrency",
    "exponent",
    "from_decimal",
    "from_units",
    "price_stay",
    "resolve",
    "share_minor",
    "to_decimal",
    "to_units",
    "total_from_accommodation_minor",
    "total_minor",
]
