"""What must stay secret may not lie where every sandbox can read."""

import sys
from pathlib import Path

import pytest

from harness.cli import main
from harness.errors import UsageError
from harness.sandbox import canaries, choice, exposure

COURSE = Path(__file__).parents[1] / "course"


@pytest.fixture(scope="module")
def isolation():
    best = choice.best()
    if best.level == "L1":
        pytest.skip("L1 hides no files")
    return best


@pytest.mark.parametrize(
    "path",
    ["/usr/src/app/reference", "/lib/x", sys.base_prefix, f"{sys.base_prefix}/course/results"],
)
def test_the_folders_that_every_worker_reads_are_known(path):
    assert exposure.readable_root(Path(path)) is not None


def test_a_link_into_such_a_folder_is_followed(tmp_path):
    (tmp_path / "results").symlink_to("/usr/lib")
    assert exposure.readable_root(tmp_path / "results" / "new") is not None
    assert exposure.readable_root(tmp_path / "other") is None


def test_a_worker_reaches_for_the_real_files(isolation, tmp_path):
    hidden = tmp_path / "solution.py"
    hidden.write_text("the answer")
    hidden.chmod(0o444)
    tmp_path.chmod(0o755)
    public = Path(sys.base_prefix, "lib", f"python3.{sys.version_info.minor}", "os.py")
    assert canaries.files_read(isolation, [hidden, public]) == [public]
    many = [tmp_path / f"{'x' * 90}{number}" for number in range(600)]  # more than a message holds
    assert canaries.files_read(isolation, [*many, public]) == [public]
    assert canaries.files_read(isolation, []) == []
    exposure.refuse(isolation, [tmp_path, tmp_path / "nothing"])
    with pytest.raises(UsageError, match=r"lies below .*Move the course"):
        exposure.refuse(isolation, [tmp_path, public])


def test_grading_below_such_a_folder_is_refused_and_leaves_nothing(isolation, tmp_path, capsys):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "square.py").write_text("def square(x):\n    return x * x\n")
    results = Path("/usr/lib/fairmark-is-not-here")
    words = ["--tasks", COURSE / "tasks", "--reference", COURSE / "reference"]
    words += ["--results", results, "--task", "square", tmp_path / "ada"]
    assert main(["grade", *map(str, words)]) == 2
    assert "lies below /usr" in capsys.readouterr().err
    assert not results.exists()
