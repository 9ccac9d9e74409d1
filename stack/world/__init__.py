"""The demo world: a small marketplace, made up from a seed."""

from stack.world.generate import DEMO_PASSWORD, GUEST_EMAIL, HOST_EMAIL, World

__all__ = ["DEMO_PASSWORD", "GUEST_EMAIL", "HOST_EMAIL", "World"]
