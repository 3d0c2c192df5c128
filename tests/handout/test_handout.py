"""A handout is made, refused, and used: marks on a machine that has nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.cli import main
from harness.collect.bare import BareProgram
from harness.marking import costs
from harness.marking import hints as hints_of_mistakes
from harness.records import EXAMPLE
from harness.seeds import PUBLIC_KEY
from harness.spec import sealed
from harness.spec.answers import Kept
from harness.spec.catalogue import load_assignment
from harness.spec.sealed import Contents, seal
from tests.support.programs import ROOT, load

COURSE = ROOT / "tests" / "course"


def make(folder, *words, tasks=COURSE / "tasks", reference=COURSE / "reference"):
    places = ("--tasks", str(tasks), "--reference", str(reference))
    return main(["handout", str(folder), *places, *map(str, words)])


def at_home(folder, home, *words):
    """A verb in a handout, as a process that knows of no other place."""
    home.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "harness", *words]
    path = {"PATH": os.environ["PATH"], "HOME": str(home)}
    return subprocess.run(
        command, cwd=folder, env=path, capture_output=True, text=True, check=False
    )


def verdicts(done):
    (row,) = json.loads(done.stdout)["submissions"]
    return {(task["id"], check["id"]): check for task in row["tasks"] for check in task["checks"]}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small") / "handout"
    assert make(folder) == 0
    for name in ("noise", "walk"):
        solution = COURSE / "reference" / name / "solution.py"
        shutil.copy(solution, folder / "submissions" / "mine" / f"{name}.py")
    return folder


def test_honest_work_is_marked_as_far_as_no_reference_is_needed(small, tmp_path):
    """The untouched starter breaks, which needs no reference either."""
    done = at_home(small, tmp_path / "home", "grade", "--jobs", "1", "--json")
    found = {place: check["status"] for place, check in verdicts(done).items()}
    assert {found["noise", check] for check in ("mean", "law", "columns", "numpy-mean")} == {"PASS"}
    assert (found["walk", "state"], found["walk", "return"]) == ("PASS", "PASS")
    line = verdicts(done)["walk", "line"]
    assert (line["status"], line["cause"], line["points"]) == ("UNGRADABLE", "by-course", None)
    assert (found["square", "value"], found["square", "slope"]) == ("ERROR", "SKIPPED")
    assert done.stderr.count("marked by your course") == 1 + done.stderr.count("c marked by")


def test_the_sessions_of_its_noxfile_run(small, tmp_path):
    """Without the installation, which needs a package index; what they call is this harness."""
    program = tmp_path / "bin" / "fairmark"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m harness "$@"\n')
    program.chmod(0o755)
    path = {"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "nox", "--no-venv", "--no-install", "-s"]

    def session(*words):
        return subprocess.run(
            [*command, *words], cwd=small, env=path, capture_output=True, text=True, check=False
        )

    listed = subprocess.run(
        [sys.executable, "-m", "nox", "-l"], cwd=small, env=path, capture_output=True, check=False
    )
    assert [name for name in ("grade", "example", "doctor") if name.encode() in listed.stdout] == [
        *("grade", "example", "doctor")
    ]
    done = session("grade", "--", "--task", "square", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert "rank  submission  points  square" in done.stdout
    assert session("doctor").returncode == 0
    done = session("example", "--", "square", "submissions/mine/square.py")
    assert done.returncode != 0, "the small course has no example"
    assert "session was successful" not in done.stderr and "square" in done.stderr


def test_in_a_handout_of_an_assignment_points_are_those_of_the_assignment(tmp_path):
    """Under `grade`, `grade PATH` and `grade --task`; nobody is asked when work was handed in."""
    tasks = shutil.copytree(COURSE / "tasks", tmp_path / "tasks")
    (tasks / "assignments" / "homework.yaml").write_text(
        "id: homework\ntitle: Two\nrelease: 2026-10-05 09:00 Europe/Berlin\n"
        "due: 2026-10-24 23:59 Europe/Berlin\nlate_until: 2026-10-26 23:59 Europe/Berlin\n"
        "late: {per_day: 1 point, cap: 2 points}\nmax_submissions: 2\n"
        "tasks: [{id: square, points: 7}, {id: noise, without: [law]}]\n"
    )
    folder = tmp_path / "handout"
    assert make(folder, "--assignment", "homework", tasks=tasks) == 0
    readme = (folder / "README.md").read_text("utf-8")
    assert (
        "\n- not marked of noise: law\n- out 2026-10-05 09:00 +02:00\n"
        "- due 2026-10-24 23:59 +02:00\n"
        "- late until 2026-10-26 23:59 +01:00: 1 point a day, at most 2 points\n"
        "- attempts accepted: the first 2; the last of them counts\n" in readme
    )
    done = at_home(folder, tmp_path / "home", "grade", "--jobs", "1", "--json")
    assert json.loads(done.stdout)["run"]["assignment"] == "homework"
    assert ("noise", "law") not in verdicts(done)
    assert "handed in" not in done.stderr
    worth = {
        task["id"]: task["max_points"]
        for task in json.loads(done.stdout)["submissions"][0]["tasks"]
    }
    assert worth["square"] == 7
    done = at_home(folder, tmp_path / "home", "grade", "--jobs", "1", "--task", "square")
    assert done.stdout.split()[:4] == ["rank", "submission", "points", "square"]
    alone = ("submissions/mine/square.py", "--results", "other")
    done = at_home(folder, tmp_path / "home", "grade", *alone, "--jobs", "1", "--json")
    assert [row["max_points"] for row in json.loads(done.stdout)["submissions"]] == [7]


def test_what_needs_references_is_refused_in_a_line(small, tmp_path):
    for words in (("verify",), ("grade", "--phase", "final"), ("handout", str(tmp_path / "x"))):
        done = at_home(small, tmp_path / "home", *words)
        assert done.returncode == 2
        assert "needs the references" in done.stderr
        assert done.stderr.count("\n") == 1


def test_references_that_are_named_and_missing_are_no_home(tmp_path, capsys):
    words = ["--tasks", str(COURSE / "tasks"), "--reference", str(tmp_path / "typo")]
    assert main(["grade", str(tmp_path), *words, "--results", str(tmp_path / "results")]) == 2
    assert "typo: there is no such folder" in capsys.readouterr().err


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real") / "handout"
    places = {"tasks": ROOT / "tasks", "reference": ROOT / "reference"}
    assert make(folder, "--task", "elbo-gaussian-kl", **places) == 0
    mistaken = ROOT / "submissions" / "mistaken" / "elbo_gaussian_kl.py"
    shutil.copy(mistaken, folder / "submissions" / "mine")
    return folder


def test_a_mistake_is_named_in_one_sandbox_and_what_is_open_in_one_line(real, tmp_path):
    done = at_home(real, tmp_path / "home", "grade", "--jobs", "1")
    hints = {each.mistake.hint for each in load("elbo-gaussian-kl").reference.mutants}
    named = {hint for hint in hints if hint in done.stdout}
    assert len(named) == 1
    lines = done.stdout.splitlines()
    assert sum("checks" in line and "marked by your course" in line for line in lines) == 1
    assert "Wanted" not in (real / "results/submissions/mine/feedback.md").read_text("utf-8")
    assert done.stderr.count("sandboxes") == 1


@pytest.mark.parametrize("made", ["file", "full", "link", "inside"])
def test_a_place_that_cannot_be_used_is_refused_and_kept(made, tmp_path, capsys):
    folder = tmp_path / "handout"
    if made == "file":
        folder.write_text("mine")
    elif made == "full":
        folder.mkdir()
        (folder / "notes.txt").write_text("mine")
    elif made == "link":
        folder.symlink_to(tmp_path / "elsewhere")
    tasks = shutil.copytree(COURSE / "tasks", tmp_path / "tasks")
    before = sorted(tmp_path.rglob("*"))
    assert make(tasks / "out" if made == "inside" else folder, tasks=tasks) == 2
    assert capsys.readouterr().err.startswith("fairmark: ")
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "handout").mkdir()
    assert make(tmp_path / "handout", "--assignment", "homework") == 0
    names = {path.name for path in (tmp_path / "handout" / "tasks").iterdir()}
    assert names == {"square", "noise", "assignments"}


def test_the_term_goes_with_an_assignment_that_draws_on_its_late_days(tmp_path):
    tasks = shutil.copytree(COURSE / "tasks", tmp_path / "tasks")
    with (tasks / "assignments" / "homework.yaml").open("a") as stream:
        stream.write("due: 2026-10-19 23:59 Z\nlate: {per_day: 10%, late_days: 1}\n")
    (tasks / "term.yaml").write_text("late_days: 1\n")
    assert make(tmp_path / "handout", "--assignment", "homework", tasks=tasks) == 0
    handed_out = tmp_path / "handout" / "tasks"
    assert load_assignment(handed_out, "homework", ["square", "noise"]).late.late_days == 1


def test_usual_costs_go_with_the_tasks_that_are_handed_out(tmp_path):
    tasks = shutil.copytree(COURSE / "tasks", tmp_path / "tasks")
    usual = {"square/values": 0.5, "walk/states": 7.0, "gone/values": 1.0}
    (tasks / costs.FILE).write_text(costs.text(usual))
    assert make(tmp_path / "handout", "--task", "square", tasks=tasks) == 0
    assert costs.usual(tmp_path / "handout" / "tasks") == {"square/values": 0.5}


#: In parts, or a hook that looks for private keys finds one here.
ARMOURED = " ".join(("PRIVATE", "KEY"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("final.txt", "ab" * 32 + "\n"),
        ("square/.old.key", "what it may be"),
        ("assignments/id", f"-----BEGIN OPENSSH {ARMOURED}-----\n"),
    ],
)
def test_a_key_in_the_tasks_is_refused_and_not_copied(name, content, tmp_path, capsys):
    tasks = shutil.copytree(COURSE / "tasks", tmp_path / "tasks")
    (tasks / name).write_text(content)
    assert make(tmp_path / "handout", tasks=tasks) == 2
    assert f"{name} is a private key" in capsys.readouterr().err
    assert not (tmp_path / "handout").exists()


def test_a_key_of_the_course_within_a_file_is_refused(tmp_path, capsys):
    tasks = shutil.copytree(COURSE / "tasks", tmp_path / "tasks")
    key = tmp_path / "results" / "keys" / "feedback.key"
    key.parent.mkdir(parents=True)
    key.write_text("c0ffee00" * 8 + "\n")
    with (tasks / "square" / "README.md").open("a") as page:
        page.write(f"\n<!-- {'C0FFEE00' * 8} -->\n")
    assert make(tmp_path / "handout", "--results", tmp_path / "results", tasks=tasks) == 2
    assert "holds the key of" in capsys.readouterr().err


def test_a_link_of_a_task_is_refused(tmp_path, capsys):
    tasks = shutil.copytree(COURSE / "tasks", tmp_path / "tasks")
    (tasks / "square" / "README.md").unlink()
    (tasks / "square" / "README.md").symlink_to(COURSE / "reference" / "square" / "solution.py")
    assert make(tmp_path / "handout", tasks=tasks) == 2
    assert "symbolic link" in capsys.readouterr().err


def test_what_lies_beside_a_task_stays_at_home(tmp_path):
    tasks = shutil.copytree(COURSE / "tasks", tmp_path / "tasks")
    (tasks / "square" / "solution.py").write_text("secret")
    (tasks / "square" / "__pycache__").mkdir()
    (tasks / "square" / "__pycache__" / "measure.pyc").write_bytes(b"secret")
    assert make(tmp_path / "handout", tasks=tasks) == 0
    files = [path for path in (tmp_path / "handout").rglob("*") if path.is_file()]
    assert not any(b"secret\n" in path.read_bytes() for path in files if "square" in path.parts)
    assert not any(path.name in ("solution.py", "measure.pyc") for path in files)


# ---------------------------------------------------------------------- sealed hints

VALUES = np.array([0.1234567, -2.5, 0.0, 1e-12, 3e8, np.inf])
TOLERANCES = np.array([1e-9, 1e-9, 1e-15, 1e-20, 0.3, 0.0])


def box(values=VALUES):
    figures = tuple("inf" if np.isinf(value) else float(value) for value in values)
    at = tuple(range(len(values)))
    tolerances = tuple(map(float, TOLERANCES))
    kept = Kept(shape=(6,), at=at, values=figures, tolerances=tolerances)
    contents = Contents(hint="the sign was lost", checks=("a",), statistics={"value": kept})
    return seal("a", contents)


@pytest.mark.parametrize("part", [0.0, 0.9, -0.9])
def test_a_box_opens_for_all_that_rounding_excuses(part):
    for shift in np.linspace(-3, 3, 41):  # so that some lie at the border of a cell
        values = VALUES + shift * TOLERANCES * 100
        opened = box(values).opened({"value": values + part * TOLERANCES})
        assert opened is not None and opened.hint == "the sign was lost"


@pytest.mark.parametrize("entry", range(5))
def test_a_box_stays_shut_for_another_answer(entry):
    other = VALUES.copy()
    other[entry] += 2 * TOLERANCES[entry] + 1e-18
    assert box().opened({"value": other}) is None
    assert box().opened({"value": np.append(VALUES, 0.0)}) is None
    assert box().opened({}) is None


def test_a_box_shows_neither_hint_nor_answer():
    text = box().model_dump_json()
    assert "sign" not in text and "0.1234567" not in text
    assert box().data != box().data  # equal contents do not look equal


def test_every_mistake_opens_its_own_hint():
    """The boxes of a task hold what answers.json holds."""
    task = load("elbo-gaussian-kl")
    reference = task.reference
    hints = {each.mistake.name: each.mistake.hint for each in reference.mutants}
    boxes = hints_of_mistakes.sealed(task)
    for name, mistake in reference.answers.mistakes.items():
        for check, statistics in mistake.checks.items():
            whole = {part: filled(kept) for part, kept in statistics.items()}
            assert hints[name] in {each.hint for each in boxes.opened(check, whole)}


@pytest.mark.parametrize("name", ["path-derivative", "pg-baseline", "reparam-grad"])
def test_the_solution_opens_no_hint(name):
    """Mistakes of these tasks answer a public example as the solution does, but for its scale."""
    task = load(name)
    boxes = hints_of_mistakes.sealed(task)
    solution = task.reference.solution
    with BareProgram(task, solution) as bare:
        for measurement in task.spec.measurements:
            for check, statistics in bare.statistics(measurement, EXAMPLE, PUBLIC_KEY).items():
                assert [each.hint for each in boxes.opened(check, statistics)] == []


def filled(kept):
    array = np.zeros(int(np.prod(kept.shape)))
    array[list(kept.at)] = [float(value) for value in kept.values]
    return array.reshape(kept.shape)


def test_a_file_that_is_no_longer_readable_means_no_hints(tmp_path):
    assert sealed.read(Path(tmp_path) / "none.json") is None
    (tmp_path / "hints.json").write_text("{}")
    assert sealed.read(tmp_path / "hints.json") is None
