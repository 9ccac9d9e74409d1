"""Fixtures for all tests; see tests/stack_fixture.py for the real parts."""

pytest_plugins = ["tests.stack_fixture"]
