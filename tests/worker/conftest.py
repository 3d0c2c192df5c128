"""Fixtures of the tests of what runs inside the sandbox."""

from tests.sandbox.lab import lab

__all__ = ["lab"]
