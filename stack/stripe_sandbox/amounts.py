"""Which amounts Stripe charges. Source: https://docs.stripe.com/currencies."""

from pricing.money import UnknownCurrency, exponent
from stack.stripe_sandbox.failures import Refusal

_LEAST = {"usd": 50, "aud": 50, "cad": 50, "chf": 50, "eur": 50, "gbp": 30, "jpy": 50, "sgd": 50}
_LARGEST = 999_999_999_999
_BY_TENS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
_BY_HUNDREDS = frozenset({"isk", "ugx"})


def check_amount(amount: int, currency: str) -> None:
    """Raise Refusal for an amount or a currency that cannot be charged."""
    try:
        exponent(currency.upper())
    except UnknownCurrency:
        raise Refusal(f"Invalid currency: {currency}", param="currency") from None
    if amount < 1:
        raise Refusal(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if amount < _LEAST.get(currency, 1):
        raise Refusal(
            "Amount must convert to at least 50 cents.",
            code="amount_too_small",
            param="amount",
        )
    step = 10 if currency in _BY_TENS else 100 if currency in _BY_HUNDREDS else 1
    if amount > _LARGEST:
        raise Refusal("Amount is too large", code="amount_too_large", param="amount")
    if amount % step:
        raise Refusal(f"Amounts in {currency} must be divisible by {step}.", param="amount")
