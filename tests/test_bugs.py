"""The table of bugs is complete, and that of the files it is made from."""

import pytest
import yaml

from tests.support.programs import ROOT, load_module

BUGS = load_module(ROOT / "docs" / "bugs.py")


@pytest.fixture(scope="module")
def found():
    return BUGS.rows()


def test_the_page_is_made_from_mistakes_promises_and_verdicts(found):
    """Another mistake, promise, hint or verdict needs `python docs/bugs.py`."""
    text = BUGS.PAGE.read_text(encoding="utf-8")
    assert BUGS.page(text, found) == text


def test_every_bug_has_a_task_or_a_reason_why_it_has_none(found):
    promised, none = BUGS.promises()
    assert set(BUGS.BUGS) == set(range(1, 104))
    assert {row.bug for row in found} == set(range(1, 104)) - set(none)
    assert {(row.task, row.bug) for row in found} == {
        (task, bug) for task, bugs in promised.items() for bug in bugs
    }


def test_every_row_names_a_mistake_with_its_check_and_what_is_said_of_it(found):
    for row in found:
        path = ROOT / "reference" / row.task / "mistakes.yaml"
        known = yaml.safe_load(path.read_text(encoding="utf-8"))["mistakes"]
        (mistake,) = (each for each in known if each["name"] == row.mistake)
        assert row.bug in mistake["bug"]
        assert mistake["check"] == row.check
        assert row.hint


def test_no_mistake_that_was_judged_is_missed(found):
    """`of` separates how many were caught and how many were judged."""
    judged = [row.caught.split(" of ") for row in found if " of " in row.caught]
    assert len(judged) > 150
    missed = [
        row for row in found if " of " in row.caught and len(set(row.caught.split(" of "))) > 1
    ]
    assert [(row.bug, row.task) for row in missed] == []


def test_stored_seeds_decide_of_mistakes_that_train():
    assert BUGS.by_stored_runs("pg-reinforce-cartpole")["ascends-the-loss"]
    assert BUGS.by_stored_runs("px-mask") == {}  # which stores none
