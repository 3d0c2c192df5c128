"""Fixtures of the tests of what runs programs."""

from tests.sandbox.lab import lab

__all__ = ["lab"]
