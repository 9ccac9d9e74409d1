"""The fixtures of the stories: people and a listing on the whole mesh."""

from tests.stories.conftest import api, guest, host, listing_id, mail

__all__ = ["api", "guest", "host", "listing_id", "mail"]
