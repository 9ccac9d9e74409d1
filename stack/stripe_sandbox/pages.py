"""Lists as Stripe pages them: https://docs.stripe.com/api/pagination."""

from collections.abc import Iterator

from stack.stripe_sandbox.failures import Refusal, unknown_object
from stack.stripe_sandbox.form import Parameters
from stack.stripe_sandbox.objects import Object


def page(newest_first: Iterator[Object], url: str, asked: Parameters) -> Object:
    """Return the page that `limit` and `starting_after` ask for."""
    limit = asked.get("limit", 10)
    if not 1 <= limit <= 100:
        raise Refusal("Limit must be between 1 and 100.", param="limit")
    objects = list(newest_first)
    after = asked.get("starting_after")
    if after is not None:
        ids = [each["id"] for each in objects]
        if after not in ids:
            raise unknown_object("object", after, "starting_after")
        objects = objects[ids.index(after) + 1 :]
    return {
        "object": "list",
        "url": url,
        "has_more": len(objects) > limit,
        "data": objects[:limit],
    }
