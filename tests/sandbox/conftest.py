"""Fixtures of the tests of sandboxes, and the levels that the default suite tries."""

from pathlib import Path

import pytest

from harness.sandbox import choice
from tests.sandbox.lab import lab
from tests.sandbox.ordinary_user import as_ordinary_user

__all__ = ["as_ordinary_user", "lab"]

#: Tests whose outcome differs by level: the default suite has them at every level.
DIFFERS = {
    "test_a_zygote_can_be_stopped_at_l1_alone_and_is_given_up",
    "test_no_note_is_left_beside_the_scratch_folder_where_landlock_is_missing",
    "test_nothing_of_a_sandbox_survives_it",
    "test_notes_pass_within_a_session_and_never_beyond",
    "test_what_the_sandbox_refuses_is_said_so",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Marks as slow what the default suite leaves out of the tests that are there for every level.

    Most of them end with a new zygote, two processor seconds a level. Every test meets the
    strongest level of the machine; two tests of three meet one of the others besides, in turn.
    """
    strongest, *others = choice.candidates()
    seen: dict[Path, dict[str, int]] = {}
    for item in items:
        if item.path.parent != Path(__file__).parent or "lab" not in item.fixturenames:
            continue
        level = getattr(item, "callspec", None) and item.callspec.params.get("lab")
        if level is None or level == strongest or item.originalname in DIFFERS:
            continue
        cases = seen.setdefault(item.path, {})
        place = cases.setdefault(item.nodeid.replace(level, ""), len(cases))
        if place % (len(others) + 1) != others.index(level):
            item.add_marker("slow")
