"""What marking a class costs is measured with everything observed already."""

from pathlib import Path

import pytest

from harness import course, syllabus
from harness.ledger import Ledger
from harness.proving import class_cost
from harness.seeds import Key

ROOT = Path(__file__).parents[2]
KEY = Key("feedback", bytes(32))


@pytest.mark.parametrize("name", ["ae-linear-pca", "px-known-entropy"])
def test_nothing_is_left_to_run_pictures_included(tmp_path, name):
    """A task that draws without a training, and one that would need one."""
    tasks, _ = syllabus.load_tasks(ROOT / "tasks", ROOT / "reference", None, (name,))
    assert tasks[0].show is not None
    version = class_cost.Version.of(ROOT)
    class_cost.submissions(tasks, tmp_path / "class", ROOT / "submissions" / "complete", 2)
    subjects = course.find_subjects([tmp_path / "class"], tasks, None)
    with Ledger(tmp_path / "results" / "ledger.sqlite", "filled") as ledger:
        class_cost.fill(version, tasks, subjects, ledger, KEY)
    spent = class_cost.marked(version, tasks, tmp_path, "class", KEY)
    assert 0 < spent.deciding < spent.whole
