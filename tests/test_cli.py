"""The command line: what it prints, what it refuses, and that a refusal leaves nothing behind."""

import dataclasses
import errno
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

import harness
from harness.cli import main
from harness.ledger import Ledger
from harness.sandbox import choice
from harness.verbs import VERBS, output

ROOT = Path(__file__).parents[1]
COURSE = Path(__file__).parent / "course"
COURSE_PLACES = ("--tasks", str(COURSE / "tasks"), "--reference", str(COURSE / "reference"))


@pytest.fixture
def course(tmp_path):
    """A copy of the fixture course that a test may break, with one submission."""
    shutil.copytree(COURSE, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))
    submission = tmp_path / "submissions" / "ada"
    submission.mkdir(parents=True)
    shutil.copy(COURSE / "reference" / "square" / "solution.py", submission / "square.py")
    return tmp_path / "course"


@pytest.fixture
def grade(course, tmp_path):
    """Runs ``grade`` in this process on the copy; nothing here gets as far as a sandbox."""
    places = ("--tasks", course / "tasks", "--reference", course / "reference")
    where = ("--results", tmp_path / "results")

    def run(*words, verb="grade"):
        paths = (tmp_path / "submissions" / "ada",) if verb == "grade" else ()
        return main([str(word) for word in (verb, *paths, *places, *where, *words)])

    return run


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "course.key"
    path.write_text("5e" * 32)
    return path


def process(*words, **more):
    command = [sys.executable, "-m", "harness", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **more)


def document(capsys):
    return json.loads(capsys.readouterr().out)


# list


def test_list_as_a_document(capsys):
    assert main(["list", "--json", *COURSE_PLACES]) == 0
    found = document(capsys)
    assert list(found) == ["format", "harness", "commit", "tasks", "errors"]
    assert (found["format"], found["harness"]) == (1, harness.__version__)
    tasks = {task["id"]: task for task in found["tasks"]}
    assert list(tasks) == ["noise", "square", "walk"]
    for task in tasks.values():
        assert set(task) == {"id", "title", "lecture", "tier", "points", "checks"}
        assert task["points"] == sum(check["points"] for check in task["checks"])
        assert [slide["slide"] for slide in task["lecture"]] == [SLIDES[task["id"]]]
    assert tasks["square"]["checks"][2] == {
        "id": "sum", "kind": "exact", "tier": "exact", "points": 0.5, "visibility": "hidden",
        "alpha": 0.0, "loss": 0.0, "stage_alpha": None, "min_detectable": None,
        "beta": None,
    }  # fmt: skip
    assert tasks["noise"]["checks"][0] == {
        "id": "mean", "kind": "unbiased", "tier": "estimator", "points": 1, "visibility": "visible",
        "alpha": 1e-3**2, "loss": 1e-3**2, "stage_alpha": 1e-3, "min_detectable": 0.3, "beta": 0.01,
    }  # fmt: skip


SLIDES = {"noise": "Noise", "square": "Squares", "walk": "Walk"}


def test_list_for_people(capsys):
    assert main(["list", *COURSE_PLACES]) == 0
    out = capsys.readouterr().out
    for words in ("square", "3.5 points", "S1 'Squares'", "4 checks", "3 tasks, 12 points"):
        assert words in out


def test_list_needs_no_reference(course, capsys):
    shutil.rmtree(course / "reference")
    assert main(["list", "--json", "--tasks", str(course / "tasks")]) == 0
    assert len(document(capsys)["tasks"]) == 3


def loaded(*words):
    """The packages that a process has imported once the command line has done its work."""
    code = (
        "import atexit, sys; from harness.cli import main; "
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in done.stderr.split()}


HEAVY = {"torch", "scipy", "pandas", "gymnasium", "rich", "jinja2"}


@pytest.mark.parametrize("more", [(), ("--json",), ("--help",)])
def test_list_imports_nothing_heavy(more):
    packages = loaded("list", *COURSE_PLACES, *more)
    assert {"harness", "pydantic"} <= packages
    assert not packages & HEAVY


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_a_word_on_the_command_line_itself_imports_next_to_nothing(word):
    packages = loaded(word)
    assert "harness" in packages
    assert not packages & {"numpy", "pydantic", *HEAVY}


def test_list_of_an_empty_folder_is_a_usage_error(tmp_path, capsys):
    assert main(["list", "--tasks", str(tmp_path)]) == 2
    assert "no task found" in capsys.readouterr().err


# what is refused before anything is written


def break_at(path, old, new):
    """Replaces a text that occurs once; its place as ``file:line``."""
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    return f"{path}:{text[: text.index(old)].count(chr(10)) + 1}"


@pytest.fixture
def breaks(course):
    """Three places in two files; each begins at the column that is given."""
    square, noise = (course / "tasks" / name / "task.yaml" for name in ("square", "noise"))
    return [
        break_at(square, "tier: exact", "tier: exactly") + ":7:",
        break_at(square, "    points: 2", "    points: -2") + ":13:",
        break_at(noise, "title: Draws", "titel: Draws") + ":1:",
    ]


def test_every_problem_of_every_spec_is_told_at_once(grade, breaks, tmp_path, capsys):
    assert grade() == 2
    out, err = capsys.readouterr()
    assert out == ""
    for place in breaks:
        assert place in err
    assert "did you mean" in err
    assert not (tmp_path / "results").exists()


def test_problems_are_in_the_document_too(grade, breaks, capsys):
    assert grade("--json") == 2
    found = document(capsys)
    assert list(found) == ["format", "harness", "commit", "errors"]
    for error in found["errors"]:
        assert set(error) == {"file", "line", "col", "message", "remedy"}
    places = [f"{error['file']}:{error['line']}:{error['col']}:" for error in found["errors"]]
    assert set(breaks) <= set(places)


@pytest.mark.parametrize("verb", ["list", "verify", "score"])
def test_other_verbs_refuse_a_broken_spec_or_an_empty_folder(course, breaks, tmp_path, verb):
    words = [verb, "--tasks", str(course / "tasks"), "--reference", str(course / "reference")]
    where = [] if verb == "list" else ["--results", str(tmp_path / "results")]
    assert main(words + where) == 2


def test_spec_that_cannot_reach_its_power_is_refused(grade, course, tmp_path, capsys):
    path = course / "tasks" / "noise" / "task.yaml"
    break_at(path, "min_detectable: 0.15", "min_detectable: 0.01")
    assert grade() == 2
    assert "draws:" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_unknown_task_is_answered_with_the_one_that_was_meant(grade, tmp_path, capsys):
    assert grade("--task", "sqare") == 2
    assert "did you mean 'square'?" in capsys.readouterr().err
    assert grade("--task", "zzz", "--json") == 2
    out, err = capsys.readouterr()
    assert "there are: noise, square, walk" in err
    assert json.loads(out)["errors"][0]["message"] in err
    assert not (tmp_path / "results").exists()


def test_task_outside_the_assignment_is_unknown(grade, capsys):
    assert grade("--assignment", "homework", "--task", "walk") == 2
    assert "walk" in capsys.readouterr().err


def test_unknown_assignment_is_answered_with_the_one_that_was_meant(grade, tmp_path, capsys):
    assert grade("--assignment", "homwork") == 2
    assert "did you mean 'homework' (" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("lines", "words", "message"),
    [
        ("tiers: {feedback: [training]}", (), "nothing would be marked: no task is of these tiers"),
        (
            "tiers: {feedback: [exact]}",
            ("--task", "noise"),
            "marks tiers exact in the phase feedback",
        ),
        ("groups: true", (), "handed in by groups; give --roster with a column group"),
        ("groups: true", ("--roster", "ROSTER"), "the roster has no column group"),
        ("", ("--times", "no-such.csv"), "no-such.csv: the table of times cannot be read"),
    ],
)
def test_what_an_assignment_asks_for(grade, course, tmp_path, capsys, lines, words, message):
    path = course / "tasks" / "assignments" / "homework.yaml"
    path.write_text(path.read_text() + lines + "\n")
    (tmp_path / "roster.csv").write_text("id,pseudonym\nada,Falcon\n")
    given = [str(tmp_path / "roster.csv") if word == "ROSTER" else word for word in words]
    assert grade("--assignment", "homework", *given) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_times_need_an_assignment(grade, tmp_path, capsys):
    assert grade("--times", "times.csv") == 2
    assert "--times needs --assignment" in capsys.readouterr().err


def test_assignment_of_an_unknown_task_says_where(grade, course, capsys):
    path = course / "tasks" / "assignments" / "homework.yaml"
    place = break_at(path, "{id: noise}", "{id: nois}")
    assert grade("--assignment", "homework") == 2
    err = capsys.readouterr().err
    assert place + ":10:" in err
    assert "did you mean 'noise'?" in err


def test_tier_without_a_task_is_refused(grade, capsys):
    assert grade("--tier", "training", "--task", "square") == 2
    assert "training" in capsys.readouterr().err


def test_missing_submission_is_refused(course, tmp_path, capsys):
    words = ["grade", str(tmp_path / "nobody"), *COURSE_PLACES]
    assert main([*words, "--results", str(tmp_path / "results")]) == 2
    assert "nobody" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("phase", ["final", "late"])
def test_phase_that_decides_needs_a_key(grade, tmp_path, capsys, phase):
    assert grade("--phase", phase) == 2
    assert "--key-file" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


@pytest.fixture
def weak_machine(monkeypatch):
    """A machine that reaches L1 alone."""
    weak = choice.at("L1")
    record = {**weak.record, "stronger": {"L3": "bubblewrap is not installed"}}
    monkeypatch.setattr(choice, "best", lambda: dataclasses.replace(weak, record=record))


@pytest.mark.parametrize(
    "words", [("--require-isolation", "L3"), ("--phase", "final"), ("--phase", "late")]
)
def test_isolation_that_is_not_to_be_had_is_refused(
    grade, key_file, tmp_path, capsys, weak_machine, words
):
    assert grade(*words, "--key-file", key_file) == 2
    err = capsys.readouterr().err
    assert "nothing was graded" in err
    assert "bubblewrap is not installed" in err
    assert "--allow-insecure" in err
    assert not (tmp_path / "results").exists()


def test_refused_isolation_leaves_no_key_behind(grade, tmp_path, weak_machine):
    assert grade("--require-isolation", "L3") == 2
    assert not (tmp_path / "results").exists()


def test_insecure_grading_stamps_every_row_and_file(grade, key_file, tmp_path, weak_machine):
    words = ("--phase", "final", "--key-file", key_file, "--task", "square", "--allow-insecure")
    assert grade(*words) in (0, 1)
    results = tmp_path / "results"
    board = (results / "leaderboard.csv").read_text()
    stamped = re.findall(r",L1(?:\+C)? insecure,", board)
    assert len(stamped) == len(board.splitlines()) - 1 > 0
    assert "without the isolation" in (results / "submissions" / "ada" / "feedback.md").read_text()
    assert (
        "without the isolation" in (results / "submissions" / "ada" / "gradescope.json").read_text()
    )


def test_second_grader_on_the_same_results_is_refused(grade, key_file, tmp_path, capsys):
    results = tmp_path / "results"
    results.mkdir()
    (results / "ledger.sqlite").touch()
    with (results / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for verb, words in (("grade", ("--key-file", key_file)), ("score", ())):
            assert grade(*words, verb=verb) == 2
            assert "another run is grading" in capsys.readouterr().err
    assert sorted(item.name for item in results.iterdir()) == ["ledger.sqlite", "lock"]
    assert (results / "ledger.sqlite").read_bytes() == b""


@pytest.mark.parametrize("verb", ["score", "report"])
def test_verb_that_reads_a_folder_without_a_run_makes_none(grade, tmp_path, capsys, verb):
    assert grade(verb=verb) == 2
    assert "grade first" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


# failures of ours


def test_unusable_ledger_is_a_failure_of_ours(grade, key_file, tmp_path, capsys):
    results = tmp_path / "results"
    results.mkdir()
    (results / "ledger.sqlite").write_bytes(b"garbage " * 1000)
    assert grade("--task", "square", "--key-file", key_file, "--json") == 3
    out, err = capsys.readouterr()
    assert "cannot be used as a ledger" in err
    assert "move it away" in json.loads(out)["errors"][0]["message"]
    assert (results / "ledger.sqlite").read_bytes() == b"garbage " * 1000
    assert sorted(item.name for item in results.iterdir()) == ["ledger.sqlite", "lock"]


@pytest.fixture
def odd_results(tmp_path):
    """A ledger whose record of the last run is not one: an error that nobody foresaw."""
    with Ledger(tmp_path / "results" / "ledger.sqlite", "run") as ledger:
        ledger.put_document("class", {})


def test_unforeseen_error_is_one_line(grade, odd_results, monkeypatch, capsys):
    monkeypatch.delenv("FAIRMARK_DEBUG", raising=False)
    assert grade("--json", verb="score") == 3
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "internal error: KeyError" in err
    assert "FAIRMARK_DEBUG=1" in err
    assert "internal error" in json.loads(out)["errors"][0]["message"]


def test_unforeseen_error_is_shown_in_full_when_asked_for(grade, odd_results, monkeypatch):
    monkeypatch.setenv("FAIRMARK_DEBUG", "1")
    with pytest.raises(KeyError):
        grade(verb="score")


def test_reference_that_is_not_text_is_a_problem_of_the_spec(grade, course, capsys):
    (course / "reference" / "square" / "solution.py").write_bytes(b"\xff\xfe")
    assert grade() == 2


def unread(*words):
    """Exit code and stderr of a verb whose reader is gone before it prints."""
    buffered = {name: os.environ[name] for name in os.environ if name != "PYTHONUNBUFFERED"}
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "harness", *words],
            cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, env=buffered, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    return done.returncode, done.stderr


def test_short_output_that_nobody_reads_is_quiet():
    assert unread("list", *COURSE_PLACES) == (128 + signal.SIGPIPE, "")


def test_long_output_that_nobody_reads_is_quiet(course):
    for index in range(80):
        folder = course / "tasks" / f"square{index}"
        shutil.copytree(course / "tasks" / "square", folder)
        break_at(folder / "task.yaml", "id: square\n", f"id: square{index}\n")
    words = ("list", "--json", "--tasks", str(course / "tasks"))
    assert unread(*words) == (128 + signal.SIGPIPE, "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_standard_streams_that_are_closed_or_full_end_nothing(closed, tmp_path):
    """None of their numbers goes to a file of ours: whoever prints would write into it."""
    opened = tmp_path / "opened"
    code = (
        "import os, sys; from harness import cli; from pathlib import Path; from harness.verbs "
        f"import list as verb; place = Path({str(opened)!r}); found = verb.run\n"
        "def run(args):\n"
        "    place.write_text(str(min(os.open(place, os.O_WRONLY | os.O_CREAT), 3)))\n"
        "    print('lost, or not', file=sys.stderr)\n"
        "    return found(args)\n"
        "verb.run = run; sys.exit(cli.main())"
    )
    words = (sys.executable, "-c", code, "list", *COURSE_PLACES)
    done = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *words], cwd=ROOT, check=False)
    assert (done.returncode, opened.read_text()) == (0, "3")


def test_what_a_caller_blocks_and_ignores_is_heard_all_the_same():
    """An ignored SIGCHLD hides how a child ended; blocked signals keep no deadline of a child."""
    code = (
        "import signal, subprocess, sys; from harness import process; process.take_every_signal(); "
        "print(subprocess.run([sys.executable, '-c', 'import signal; "
        "print(len(signal.pthread_sigmask(signal.SIG_BLOCK, ()))); raise SystemExit(7)']))"
    )
    caller = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); "
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPROF, signal.SIGTERM}); "
        "os.execv(sys.executable, [sys.executable, '-c', sys.argv[1]])"
    )
    command = [sys.executable, "-c", caller, code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("0\n")
    assert "returncode=7" in done.stdout


SIGNALLED = """
import atexit, importlib.abc, os, runpy, signal, sys

# who started the tests may ignore them, as nohup does
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

class Meanwhile(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {when!r}:
            os.kill(os.getpid(), {number})

if {when!r} == "exit":
    atexit.register(os.kill, os.getpid(), {number})
sys.meta_path.insert(0, Meanwhile())
sys.argv = ["harness", "list", *{places!r}]
runpy.run_module("harness", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("when", ["argparse", "harness.verbs.list", "exit"])
def test_a_signal_before_or_after_the_verb_ends_quietly(when, number):
    """Importing takes a second or more, in which there is nothing to clean up."""
    code = SIGNALLED.format(when=when, number=int(number), places=COURSE_PLACES)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (-number, "")


def test_what_is_made_is_its_owners_whatever_the_umask(tmp_path):
    made = tmp_path / "made"
    code = (
        "import os, sys; os.umask(0o777); from harness import cli; from harness.verbs import list; "
        f"list.run = lambda args: os.mkdir({str(made)!r}) or 0; sys.exit(cli.main())"
    )
    command = [sys.executable, "-c", code, "list", *COURSE_PLACES]
    subprocess.run(command, cwd=ROOT, check=True)
    assert made.stat().st_mode & 0o777 == 0o700


def test_a_checkout_is_graded_with_where_git_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert output.commit() == ""


# the parser


@pytest.mark.parametrize("words", [(), ("mark",), ("grade", "--jobs", "0"), ("grade", "--what")])
def test_words_that_mean_nothing_are_a_usage_error(words):
    done = process(*words)
    assert done.returncode == 2
    assert "usage:" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("word", "remedy"),
    [("grad", "did you mean 'grade'?"), ("xyz", "there are: list, assignments, example, grade")],
)
def test_mistyped_verb_is_answered_with_the_one_that_was_meant(word, remedy, capsys):
    with pytest.raises(SystemExit) as caught:
        main([word, "--jobs", "2"])
    assert caught.value.code == 2
    assert f"no verb is called {word!r}; {remedy}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("called", "name"),
    [("/usr/bin/fairmark", "fairmark"), (str(ROOT / "harness/__main__.py"), "python -m harness")],
)
def test_usage_names_the_command_that_was_called(called, name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [called, "list", "--help"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.startswith(f"usage: {name} list ")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_what_it_takes(verb, capsys):
    with pytest.raises(SystemExit) as caught:
        main([verb, "--help"])
    assert caught.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.strip() == harness.__version__


def test_doctor_shows_the_commitment_of_a_key(tmp_path, capsys):
    key = tmp_path / "final.key"
    key.write_text("ab" * 32 + "\n")
    main(["doctor", "--key-file", str(key), "--json", "--results", str(tmp_path)])
    found = json.loads(capsys.readouterr().out)["key"]["sha256"]
    assert found == sha256(bytes.fromhex("ab" * 32)).hexdigest()


def test_a_path_that_is_too_long_says_so(capsys):
    assert main(["list", "--tasks", "x" * 300]) == 3
    assert "File name too long; give a shorter path" in capsys.readouterr().err


def test_a_results_folder_that_cannot_be_made_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["grade", "--results", str(tmp_path / "file" / "below")]) == 2
    assert "cannot be made" in capsys.readouterr().err


def test_what_the_system_refuses_is_said_with_place_and_remedy(monkeypatch, capsys):
    def full(args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "results/grades.csv")

    monkeypatch.setattr("harness.verbs.list.run", full)
    assert main(["list"]) == 3
    assert capsys.readouterr().err == (
        "fairmark: results/grades.csv: No space left on device; free some room on that disk and "
        "run the same again. What was observed before is kept\n"
    )
