"""The results folder: no submission meets a file of ours, and nothing is written through a link."""

import csv
import errno
import fcntl
import hashlib
import json
import os
import re
import socket
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cli import main
from harness.errors import UsageError
from harness.results import FIGURES, Results, folder_name, make_folder

ROOT = Path(__file__).parents[1]
COURSE = Path(__file__).parent / "course"
PLACES = ("--tasks", str(COURSE / "tasks"), "--reference", str(COURSE / "reference"))


# the folder of a submission


@pytest.mark.parametrize("name", ["ada", "Ada_Lovelace-2", "x", "007", "_x", "a" * 48])
@pytest.mark.parametrize("prefix", ["", "lock", "keys", "site", "figures", "submissions", "con"])
def test_ordinary_names_stay(name, prefix):
    assert folder_name((prefix or name)[:48]) == (prefix or name)[:48]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("", "submission"),
        (".", "submission"),
        ("..", "submission"),
        ("../../etc/passwd", "etc-passwd"),
        ("/abs", "abs"),
        ("a\\b", "a-b"),
        ("grades.csv", "grades-csv"),
        ("Jürgen Müller", "Jurgen-Muller"),
        ("漢", "submission"),
        ("a\ud800", "a"),
        ("a\x00b", "a-b"),
        ("-rf", "rf"),
        ("b" * 60, "b" * 48),
        ("bob-0123abcd", "bob-0123abcd"),
    ],
)
def test_other_names_get_a_slug_and_a_digest(name, slug):
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    assert folder_name(name) == f"{slug}-{digest[:8]}"


@given(st.text(st.characters() | st.sampled_from("./\\-a\ud800\x00")))
def test_a_folder_name_never_escapes(name):
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,60}", folder_name(name))
    assert folder_name(name) == folder_name(name)


@given(st.lists(st.text(max_size=4), unique=True, max_size=20))
def test_different_names_get_different_folders(names):
    reports = Results(Path("results")).submissions(names)
    assert list(reports) == names
    assert len({str(each.folder).lower() for each in reports.values()}) == len(names)
    assert {each.folder.parent for each in reports.values()} <= {Path("results/submissions")}


def test_nobody_takes_the_folder_of_an_altered_name():
    victim = folder_name("bob!")
    assert folder_name(victim) != victim


def test_folders_that_a_file_system_would_merge_get_the_whole_digest():
    reports = Results(Path("results")).submissions(["Ada", "ada", "bob"])
    assert reports["bob"].folder.name == "bob"
    assert re.fullmatch(r"Ada-[0-9a-f]{64}", reports["Ada"].folder.name)
    assert re.fullmatch(r"ada-[0-9a-f]{64}", reports["ada"].folder.name)


# submissions that are called like files of ours, end to end


LONG = "n" * 200
#: Cannot be parsed, which is known before anything runs, and so costs no sandbox.
BROKEN = "def square(x:\n"
#: Who hands in the solution; what the others hand in is of no consequence for their names.
RIGHT = ("grades.csv",)
NAMES = (
    "lock", "keys", "site", "figures", "submissions", "grades.csv", "ledger.sqlite", "con",
    "two words",
    "Ünïcode-漢", LONG, "Ada", "ada",
)  # fmt: skip


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """All these submissions, graded together on an exact task; their folder of results."""
    folder = tmp_path_factory.mktemp("named")
    solution = (COURSE / "reference" / "square" / "solution.py").read_text(encoding="utf-8")
    for name in NAMES:
        (folder / "submissions" / name).mkdir(parents=True)
        text = solution if name in RIGHT else BROKEN
        (folder / "submissions" / name / "square.py").write_text(text, encoding="utf-8")
    results = folder / "results"
    words = ["grade", str(folder / "submissions"), "--task", "square", "--results", str(results)]
    assert main([*words, *PLACES]) == 1
    return results


def test_every_name_stays_what_it_was_in_every_table(graded):
    for table in ("leaderboard.csv", "grades.csv"):
        with (graded / table).open(encoding="utf-8", newline="") as stream:
            rows = [row["submission"] for row in csv.DictReader(stream)]
        shown = {f"{LONG[:79]}…" if name == LONG else name for name in NAMES}
        assert set(rows) == shown
    document = json.loads((graded / "grades.json").read_text(encoding="utf-8"))
    assert {row["name"] for row in document["submissions"]} == set(NAMES)


def test_every_submission_has_its_feedback(graded):
    reports = Results(graded).submissions(NAMES)
    assert {each.folder for each in reports.values()} == set((graded / "submissions").iterdir())
    for name, each in reports.items():
        assert name[:79] in each.feedback.read_text(encoding="utf-8").replace("\\", "")
        score = json.loads(each.gradescope.read_text(encoding="utf-8"))["score"]
        assert score == (3.5 if name in RIGHT else 0.0)


def test_nothing_but_the_key_lies_beside_the_key(graded):
    keys = graded / "keys"
    assert [path.name for path in keys.iterdir()] == ["feedback.key"]
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert stat.S_IMODE((keys / "feedback.key").stat().st_mode) == 0o600


def test_the_folder_holds_what_is_described_and_no_more(graded):
    files = {
        "lock",
        "ledger.sqlite",
        "leaderboard.csv",
        "gradebook.csv",
        "grades.csv",
        "grades.json",
        "junit.xml",
    }
    assert {path.name for path in graded.iterdir()} == {*files, "keys", "submissions"}


def test_marks_of_such_submissions_are_computed_again(graded, capsys):
    before = (graded / "grades.csv").read_bytes()
    assert main(["score", "--results", str(graded), *PLACES]) == 1
    assert (graded / "grades.csv").read_bytes() == before


# what is refused before anything is written


def grade(results):
    """Exit code of grading one submission, which cannot be parsed, into a folder of results."""
    folder = results.parent / "handed-in" / "ada"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "square.py").write_text(BROKEN, encoding="utf-8")
    words = ["grade", str(folder), "--task", "square", "--results", str(results)]
    return main([*words, *PLACES])


FILES = (
    "lock", "ledger.sqlite", "ledger.sqlite-wal", "leaderboard.csv", "grades.csv", "grades.json",
    "junit.xml", "keys/feedback.key", "submissions/ada/feedback.md",
    "submissions/ada/gradescope.json", "figures/bench.json",
)  # fmt: skip
FOLDERS = ("keys", "submissions", "submissions/ada", "figures", "verify", "targets", "redteam")


def refused(results, place, capsys, *words):
    """Whether grading is refused with the place and these words, and leaves the folder alone."""
    before = sorted(results.rglob("*"))
    assert grade(results) == 2
    message = capsys.readouterr().err
    for word in (str(results / place), *words, "--results"):
        assert word in message
    assert sorted(results.rglob("*")) == before


@pytest.mark.parametrize("place", [*FILES, *FOLDERS])
@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_in_the_place_of_ours_is_refused(tmp_path, capsys, place, dangling):
    results, target = tmp_path / "results", tmp_path / "elsewhere"
    if not dangling and place in FOLDERS:
        target.mkdir()
    elif not dangling:
        target.write_text("precious")
    (results / place).parent.mkdir(parents=True)
    (results / place).symlink_to(target)
    refused(results, place, capsys, "is a symbolic link to", str(target), "remove it")
    assert not target.is_file() or target.read_text() == "precious"
    assert not target.is_dir() or not any(target.iterdir())
    assert target.exists() != dangling


@pytest.mark.parametrize("place", FILES)
def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path, capsys, place):
    (tmp_path / "results" / place).mkdir(parents=True)
    refused(tmp_path / "results", place, capsys, "is a folder, where a file belongs", "move it")


@pytest.mark.parametrize("place", FOLDERS)
def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path, capsys, place):
    (tmp_path / "results" / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "results" / place).write_text("precious")
    refused(tmp_path / "results", place, capsys, "is a file, where a folder belongs", "move it")
    assert (tmp_path / "results" / place).read_text() == "precious"


def test_a_pipe_or_a_socket_in_the_place_of_the_lock_is_refused(tmp_path, capsys, monkeypatch):
    results = tmp_path / "results"
    results.mkdir()
    os.mkfifo(results / "lock")
    refused(results, "lock", capsys, "is a named pipe")
    (results / "lock").unlink()
    monkeypatch.chdir(results)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("lock")
        refused(results, "lock", capsys, "is a socket")


# the folder itself


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path, capsys):
    (tmp_path / "results").write_text("precious")
    assert grade(tmp_path / "results") == 2
    assert "is a file, where a folder belongs" in capsys.readouterr().err
    assert (tmp_path / "results").read_text() == "precious"


def test_a_folder_that_is_a_dangling_link_is_refused(tmp_path, capsys):
    (tmp_path / "results").symlink_to(tmp_path / "nowhere")
    assert grade(tmp_path / "results") == 2
    assert "which does not exist" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_was_given_as_a_link_is_used(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "results").symlink_to(tmp_path / "disk")
    assert grade(tmp_path / "results") == 1
    assert (tmp_path / "disk" / "submissions" / "ada" / "feedback.md").is_file()


def test_a_folder_in_which_nothing_can_be_made_is_refused(capsys):
    """Nobody, not even root, makes files in /proc."""
    with pytest.raises(UsageError, match=r"/proc.*--results"), Results(Path("/proc")).writer():
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
@pytest.mark.parametrize("place", ["", "submissions", "keys"])
def test_a_folder_that_cannot_be_written_is_refused(tmp_path, capsys, place):
    folder = tmp_path / "results" / place
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    try:
        assert grade(tmp_path / "results") == 2
    finally:
        folder.chmod(0o700)
    assert f"{folder} cannot be written" in capsys.readouterr().err


def test_a_folder_below_a_file_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"cannot be made.*--results"):
        make_folder(tmp_path / "file" / "below")


# one writer


def test_a_second_writer_is_refused_until_the_first_is_done(tmp_path):
    results = Results(tmp_path / "results")
    with results.writer():
        with pytest.raises(UsageError, match="another run is grading"), results.writer():
            pass
        with results.verify.writer():  # has a lock of its own
            pass
    with results.writer():
        pass


def test_a_file_system_without_locks_is_refused_with_place_and_remedy(tmp_path, monkeypatch):
    def no_locks(*words):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(UsageError, match=r"lock cannot be locked \(No locks .*--results"):
        with Results(tmp_path).writer():
            pass


def test_the_lock_is_a_lock_of_the_system(tmp_path):
    results = Results(tmp_path)
    with results.writer(), results.lock.open("a") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_folder_of_verify_is_checked_with_the_one_around_it(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "verify").symlink_to(tmp_path / "elsewhere")
    writer = Results(tmp_path / "results").verify.writer()
    with pytest.raises(UsageError, match="symbolic link"), writer:
        pass
    assert not any((tmp_path / "elsewhere").iterdir())


# figures


def test_figures_are_tracked_and_marks_are_not():
    def tracked(*paths):
        command = ["git", "check-ignore", "--no-index", *map(str, paths)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        ignored = set(done.stdout.split())
        return [str(path) for path in paths if str(path) not in ignored]

    results = Results(Path("results"))
    figures = [results.figure(name) for name in FIGURES]
    assert tracked(*figures) == [str(path) for path in figures]
    (reports,) = results.submissions(["ada"]).values()
    others = [results.ledger, results.lock, results.feedback_key, results.redteam, *results.marks]
    assert tracked(*others, reports.feedback, results.verify.ledger, results.targets) == []


def test_every_committed_figure_is_described():
    committed = {path.name for path in (ROOT / "results" / "figures").iterdir()}
    assert committed <= set(FIGURES)
    page = (ROOT / "results" / "README.md").read_text(encoding="utf-8")
    for name in FIGURES:
        assert f"`{name}`" in page
