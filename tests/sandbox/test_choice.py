"""Which level is taken, and what happens where it is too weak."""

from __future__ import annotations

import pytest

from harness.errors import UsageError
from harness.sandbox import choice

BEST = choice.best.__wrapped__


@pytest.fixture
def machine(monkeypatch):
    """A machine that reaches the levels given."""

    def reaches(*names):
        def at(level):
            if level in names:
                return choice.Isolation(level, record={"canaries": {}})
            raise choice.Unavailable(f"no {level} here")

        monkeypatch.setattr(choice, "at", at)
        monkeypatch.setattr(choice, "candidates", lambda: ("L3", "L2", "L1"))
        monkeypatch.setattr(choice, "best", BEST)

    return reaches


def test_the_strongest_level_is_taken(machine):
    machine("L1", "L2", "L3")
    assert choice.require(None, "feedback").level == "L3"


def test_why_no_stronger_one_is_kept(machine):
    machine("L1")
    found = choice.require(None, "feedback")
    assert found.level == "L1"
    assert found.record["stronger"] == {"L3": "no L3 here", "L2": "no L2 here"}


@pytest.mark.parametrize(
    ("phase", "asked", "reached", "enough"),
    [
        ("feedback", None, "L1", True),
        ("final", None, "L1", False),
        ("late", None, "L1", False),
        ("final", None, "L2", True),
        ("final", "L1", "L1", True),
        ("feedback", "L3", "L2", False),
        ("final", "L2U", "L2", False),
        ("final", "L2", "L3", True),
    ],
)
def test_a_level_below_what_is_required_refuses(machine, phase, asked, reached, enough):
    machine(reached)
    if enough:
        found = choice.require(asked, phase)
        assert (found.level, found.insecure, found.label) == (reached, False, reached)
        assert found.required == (asked or choice.DEFAULT_REQUIREMENT[phase])
        return
    with pytest.raises(UsageError) as caught:
        choice.require(asked, phase)
    for words in ("nothing was graded", reached, f"--require-isolation {reached}", "no L3 here"):
        assert words in str(caught.value)


def test_less_is_accepted_only_with_a_stamp_on_every_row(machine):
    machine("L1")
    found = choice.require("L3", "final", allow_insecure=True)
    assert (found.level, found.label, found.required) == ("L1", "L1 insecure", "L1")
    machine("L3")
    assert choice.require("L3", "final", allow_insecure=True).label == "L3"


def test_no_level_at_all_refuses_whatever_is_allowed(machine):
    machine()
    with pytest.raises(UsageError, match="no isolation works here"):
        choice.require("L1", "feedback", allow_insecure=True)


def test_a_level_that_does_not_exist_is_refused():
    with pytest.raises(UsageError, match=r"L0.*none of L1, L2, L2U, L3"):
        choice.require("L0", "feedback")
