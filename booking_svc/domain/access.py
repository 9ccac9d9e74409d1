"""Whose things they are."""

from mesh.errors import Forbidden

ME = "me"


class NotYours(Forbidden):
    """Another person's lists are closed, whether that person exists or not."""

    reason = "NOT_YOURS"


def own_id(asked: str, caller_id: str) -> str:
    """Return the caller's id where "me" or that very id was asked for; raise NotYours otherwise."""
    if asked not in (ME, caller_id):
        raise NotYours("you can only list your own")
    return caller_id
