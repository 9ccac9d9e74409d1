"""An amount and its currency."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the currency's minor unit (ISO 4217); exact."""

    amount_minor: int
    currency: str
