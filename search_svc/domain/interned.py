"""Values that occur again and again, as small numbers."""

from typing import Generic, TypeVar

T = TypeVar("T")


class Interned(Generic[T]):
    """A table of distinct values: the first is number 0."""

    def __init__(self) -> None:
        self._numbers: dict[T, int] = {}
        self._values: list[T] = []

    def number(self, value: T) -> int:
        """Return the value's number, a new one when it is new."""
        number = self._numbers.setdefault(value, len(self._values))
        if number == len(self._values):
            self._values.append(value)
        return number

    def __getitem__(self, number: int) -> T:
        return self._values[number]
