"""What docs/strength.md and docs/generative.md say is made from stored results, and still true."""

import sys

import numpy as np
import pytest

from harness.mutation import equivalents
from tests.support.programs import ROOT, load

sys.path.insert(0, str(ROOT / "docs" / "evidence"))
try:
    import cheats
    import order
    import pages
    import pictures
    import targets
finally:
    sys.path.pop(0)

#: Entries without training; what they compute is compared with what is stored.
COMPUTED = ("pca", "blind")


@pytest.mark.parametrize("path", pages.PAGES, ids=lambda path: path.name)
def test_the_tables_are_those_of_the_stored_results(path):
    """Another run, mistake or mutant needs `python docs/evidence/pages.py`."""
    assert pages.page(path) == path.read_text(encoding="utf-8")


def test_a_page_without_the_place_of_a_table_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "strength.md"
    text = pages.STRENGTH.read_text(encoding="utf-8").replace("<!-- margins -->\n", "")
    path.write_text(text, encoding="utf-8")
    monkeypatch.setitem(pages.PAGES, path, pages.PAGES[pages.STRENGTH])
    with pytest.raises(ValueError, match=r"strength\.md: no place for the table margins"):
        pages.page(path)


def test_every_stored_survivor_has_a_reason_that_still_names_it():
    rows = pages.rows_of(pages.FIGURES / "survivors.csv")
    entries = {
        name: equivalents.listed(ROOT / "reference" / name)
        for name in {row["task"] for row in rows}
    }
    assert [row["mutant"] for row in rows if row["excused"] != "yes"] == []
    unnamed = [
        row["mutant"]
        for row in rows
        if not any(entry.covers(row["mutant"]) for entry in entries[row["task"]])
    ]
    assert unnamed == []


def test_every_figure_of_the_catalogue_is_stored_and_as_it_says():
    stored = {row.quantity: row for row in targets.read()}
    assert set(stored) == set(targets.QUANTITIES)
    assert [name for name, row in stored.items() if not row.reproduced] == []
    assert {row.entry for row in stored.values()} == set(targets.ENTRIES)


@pytest.mark.parametrize("entry", COMPUTED)
def test_what_needs_no_training_is_computed_again(entry):
    stored = {row.quantity: row.values for row in targets.read() if row.entry == entry}
    assert {row.quantity: row.values for row in targets.made(entry)} == stored


def test_another_value_is_not_as_said():
    assert not targets.Found("blind-1", "90", "blind", 0.0).reproduced
    assert not targets.Found("digits-vae", "18.1 18.6", "vae", 0.0).reproduced


def test_weights_from_home_pass_no_check():
    """They succeed where they were trained, and elsewhere less often than what must fail."""
    stored = cheats.read()
    assert {row.task for row in stored} == set(cheats.TASKS)
    for row in stored:
        check = load(row.task).spec.check(row.check)
        assert row.threshold == check.threshold
        share = row.succeeded / row.seeds
        assert share == 1 if row.source == "at home" else share < check.min_detectable / 2


def test_weights_from_home_in_the_order_of_the_pixels_are_stored():
    """Where images come from a drawn source there is no order to find.

    Told the true law, which no program knows, the nearest law of home has no likelihood that is
    high enough; its posterior mean of noisy images may be close enough, before a network's loss.
    """
    stored = order.read()
    for name, task in order.TASKS.items():
        rows = [row for row in stored if row.task == name]
        assert {row.check for row in rows} == {check.id for check in order.checks_of(name)}
        for row in rows:
            assert row.threshold == load(name).spec.check(row.check).threshold
        if task.drawn:
            assert len(rows) == len(order.checks_of(name)) + len(order.GROUPS)
            counted = rows if task.sigma is None else rows[:1]
            assert {row.succeeded for row in counted} == {0}


def test_the_order_of_disguised_pixels_is_found_again():
    rng, digits = np.random.default_rng(1), order.images.load("digits")
    home, other = (digits.deformed(rng).binary().reshape(-1, 64) for _ in range(2))
    place, inverted = rng.permutation(64), rng.permutation(64) < 32
    found, signs = order.matched(home, np.abs(other[:, place] - inverted))
    assert (found == place).sum() > 55
    assert (signs == inverted).sum() > 55


def test_the_nearest_law_of_home_is_the_same_one_in_another_order():
    law = order.source.draw(np.random.default_rng(2))
    true, u = law.logits[0], order.source.pairs()
    place, sign = np.random.default_rng(3).permutation(22), np.resize([1, -1], 22)
    laws = [*order.turned(law.logits[1], u), (true * sign)[:, place]]
    np.testing.assert_allclose(order.nearest(true, laws), true, atol=1e-12)


def test_every_task_whose_parameters_are_marked_was_tried():
    """Those whose measurement of training takes a state, and no model to be asked."""
    for name in pages.TASKS:
        task = load(name)
        trains = any(check.kind == "seed-success" for check in task.spec.checks)
        assert trains == (name in cheats.TASKS)


def test_pictures_of_the_right_and_the_wrong_mask_are_those_of_the_programs():
    (pair,) = (each for each in pictures.PAIRS if each[0] == "px-mask")
    right, wrong = pictures.pair(*pair).items()
    assert right[1] != wrong[1]
    for path, text in (right, wrong):
        assert path.read_text(encoding="utf-8") == text, "run: python docs/evidence/pictures.py"


def test_every_picture_is_shown():
    text = pages.GENERATIVE.read_text(encoding="utf-8")
    files = {path.name for path in pages.EVIDENCE.glob("*.svg")}
    wanted = {pictures.path(task, kind).name for task, _, m in pictures.PAIRS for kind in ("", m)}
    assert files == wanted
    assert [name for name in files if f"](evidence/{name})" not in text] == []
