"""Fixtures of the tests of sandboxes."""

from tests.sandbox.lab import lab
from tests.sandbox.ordinary_user import as_ordinary_user

__all__ = ["as_ordinary_user", "lab"]
