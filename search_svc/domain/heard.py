"""What came in over the bus, as search understands it."""

from dataclasses import dataclass

from search_svc.domain.calendar import CalendarChange
from search_svc.domain.listing import Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A record: where it stood, and what it told; None for nothing that concerns search."""

    topic: str
    partition: int
    offset: int
    news: Listing | CalendarChange | None

    @property
    def place(self) -> tuple[str, int]:
        """Return its topic and partition."""
        return self.topic, self.partition
