"""What the stack says when it cannot go on: one line with the reason, one with the next step."""


class StackError(Exception):
    """The stack cannot go on; `reason` is one line, `next_step` says what to do about it."""

    def __init__(self, reason: str, next_step: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.next_step = next_step


class NotReady(Exception):
    """A probe found the part up but not yet, or no longer, able to do its work."""
