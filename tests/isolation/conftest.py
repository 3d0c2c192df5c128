"""Fixtures of the tests of isolation."""

import pytest

from harness.isolation import identity


@pytest.fixture
def as_root():
    if not identity.can_change_user():
        pytest.skip("only root can give every sandbox a user of its own")
