"""Payment intents: https://docs.stripe.com/api/payment_intents."""

import re

from stack.stripe_sandbox.amounts import check_amount
from stack.stripe_sandbox.cards import CARDS, Card
from stack.stripe_sandbox.failures import CardRefused, Refusal, unexpected_state, unknown_object
from stack.stripe_sandbox.form import Kind, Parameters, check
from stack.stripe_sandbox.objects import Object, Objects, new_id
from stack.stripe_sandbox.pages import page

KIND = "payment_intent"

_CREATE = {
    "amount": Kind.INTEGER,
    "currency": Kind.TEXT,
    "payment_method": Kind.TEXT,
    "automatic_payment_methods": Kind.MAP,
    "return_url": Kind.TEXT,
    "capture_method": Kind.TEXT,
    "confirm": Kind.BOOLEAN,
    "off_session": Kind.BOOLEAN,
    "description": Kind.TEXT,
    "metadata": Kind.MAP,
}
_CANCELLABLE = frozenset(
    {"requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"}
)
_REASONS = frozenset({"duplicate", "fraudulent", "requested_by_customer", "abandoned"})
_CLAUSE = re.compile(r"""metadata\[(['"])(\w+)\1\]\s*:\s*(['"])([^'"]*)\3""")


def create(objects: Objects, given: Parameters) -> Object:
    """Make an intent and, when asked to confirm it, ask the card. Raise CardRefused."""
    if "payment_method_types" in given:
        raise Refusal(
            "The payment_method_types parameter is no longer supported.",
            code="payment_method_types_no_longer_supported",
            param="payment_method_types",
        )
    asked = check(given, _CREATE, required=("amount", "currency"))
    currency = asked["currency"].lower()
    check_amount(asked["amount"], currency)
    if asked.get("capture_method", "automatic") not in ("automatic", "automatic_async", "manual"):
        raise Refusal("Invalid capture_method", param="capture_method")
    card = _card(asked.get("payment_method"))
    intent = _new(objects, asked, currency)
    if asked.get("confirm"):
        _check_return(asked)
        if card is None:
            raise Refusal(
                "You cannot confirm this PaymentIntent because it's missing a payment method.",
                code="payment_intent_unexpected_state",
            )
        _confirm(intent, card, off_session=bool(asked.get("off_session")))
    objects.put(intent)
    if intent["last_payment_error"]:
        raise CardRefused(intent)
    return intent


def retrieve(objects: Objects, given: Parameters, intent_id: str) -> Object:
    """Return an intent as it is now."""
    check(given, {"client_secret": Kind.TEXT})
    return find(objects, intent_id)


def find(objects: Objects, intent_id: str, param: str = "intent") -> Object:
    """Return the intent of that id; raise Refusal (404) when there is none."""
    intent = objects.get(KIND, intent_id)
    if intent is None:
        raise unknown_object("payment_intent", intent_id, param)
    return intent


def capture(objects: Objects, given: Parameters, intent_id: str) -> Object:
    """Take the authorized money, or a part; what is left goes back to the card."""
    asked = check(given, {"amount_to_capture": Kind.INTEGER, "metadata": Kind.MAP})
    intent = find(objects, intent_id)
    if intent["status"] != "requires_capture":
        raise unexpected_state(intent, "captured")
    given_amount: int | None = asked.get("amount_to_capture")
    amount: int = intent["amount_capturable"] if given_amount is None else given_amount
    if amount > intent["amount_capturable"]:
        raise Refusal(
            "The amount to capture is greater than the amount that can be captured.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    if amount < 1:
        raise Refusal(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount_to_capture",
        )
    _succeed(intent, amount)
    objects.put(intent)
    return intent


def cancel(objects: Objects, given: Parameters, intent_id: str) -> Object:
    """Give up an intent; an authorization goes back to the card."""
    asked = check(given, {"cancellation_reason": Kind.TEXT})
    reason = asked.get("cancellation_reason")
    if reason is not None and reason not in _REASONS:
        raise Refusal("Invalid cancellation_reason", param="cancellation_reason")
    intent = find(objects, intent_id)
    if intent["status"] not in _CANCELLABLE:
        raise unexpected_state(intent, "canceled")
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=objects.now_seconds(),
        cancellation_reason=reason,
        next_action=None,
    )
    objects.put(intent)
    return intent


def list_all(objects: Objects, given: Parameters) -> Object:
    """Return a page of intents, the newest first."""
    asked = check(given, {"limit": Kind.INTEGER, "starting_after": Kind.TEXT})
    return page(objects.newest(KIND), "/v1/payment_intents", asked)


def search(objects: Objects, given: Parameters) -> Object:
    """Return the intents whose metadata match; at once, where Stripe may take a minute."""
    asked = check(given, {"query": Kind.TEXT, "limit": Kind.INTEGER}, required=("query",))
    wanted = {}
    for clause in re.split(r"\s+AND\s+", asked["query"]):
        match = _CLAUSE.fullmatch(clause.strip())
        if match is None:
            raise Refusal("We were unable to parse your search query.", param="query")
        wanted[match[2]] = match[4]
    found = [i for i in objects.newest(KIND) if wanted.items() <= i["metadata"].items()]
    return {
        "object": "search_result",
        "url": "/v1/payment_intents/search",
        "has_more": False,
        "next_page": None,
        "data": found[: asked.get("limit", 10)],
    }


def authenticate(objects: Objects, intent_id: str, *, succeeds: bool) -> Object:
    """Be the cardholder who passes, or fails, 3-D Secure."""
    intent = find(objects, intent_id)
    if intent["status"] != "requires_action":
        raise unexpected_state(intent, "authenticated")
    intent["next_action"] = None
    if succeeds:
        _authorize(intent)
    else:
        _refuse(
            intent,
            Card(
                code="payment_intent_authentication_failure",
                message="The provided payment method has failed authentication.",
            ),
            kind="invalid_request_error",
        )
    objects.put(intent)
    return intent


def _check_return(asked: Parameters) -> None:
    """Raise Refusal unless the payer's page is known, or will never be left."""
    redirects = asked.get("automatic_payment_methods", {}).get("allow_redirects", "always")
    if redirects == "always" and not asked.get("off_session") and not asked.get("return_url"):
        raise Refusal(
            "You must provide a `return_url`, because some of the enabled payment methods may"
            " redirect your customer off of your page.",
            param="return_url",
        )


def _card(payment_method: str | None) -> Card | None:
    if payment_method is None:
        return None
    card = CARDS.get(payment_method)
    if card is None:
        # A create that names what is not there is a bad request, not a missing page.
        refusal = unknown_object("PaymentMethod", payment_method, "payment_method")
        refusal.status = 400
        raise refusal
    return card


def _new(objects: Objects, asked: Parameters, currency: str) -> Object:
    intent_id = new_id("pi")
    payment_method = asked.get("payment_method")
    return {
        "id": intent_id,
        "object": KIND,
        "amount": asked["amount"],
        "amount_capturable": 0,
        "amount_received": 0,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": asked.get("capture_method", "automatic"),
        "client_secret": f"{intent_id}_secret_{new_id('s')[2:]}",
        "created": objects.now_seconds(),
        "currency": currency,
        "description": asked.get("description"),
        "last_payment_error": None,
        "livemode": False,
        "metadata": asked.get("metadata", {}),
        "next_action": None,
        "payment_method": payment_method,
        "payment_method_types": ["card"],
        "status": "requires_confirmation" if payment_method else "requires_payment_method",
    }


def _confirm(intent: Object, card: Card, *, off_session: bool) -> None:
    if card.code:
        _refuse(intent, card)
    elif card.challenges and off_session:
        _refuse(
            intent,
            Card(
                code="authentication_required",
                decline_code="authentication_required",
                message="Your card was declined. This transaction requires authentication.",
            ),
        )
    elif card.challenges:
        intent["status"] = "requires_action"
        intent["next_action"] = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
    else:
        _authorize(intent)


def _authorize(intent: Object) -> None:
    if intent["capture_method"] == "manual":
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
    else:
        _succeed(intent, intent["amount"])


def _succeed(intent: Object, amount: int) -> None:
    intent.update(status="succeeded", amount_capturable=0, amount_received=amount)


def _refuse(intent: Object, card: Card, kind: str = "card_error") -> None:
    error = {"type": kind, "code": card.code, "message": card.message}
    if card.decline_code:
        error["decline_code"] = card.decline_code
    intent.update(status="requires_payment_method", payment_method=None, last_payment_error=error)
