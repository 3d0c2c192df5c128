"""Bad submissions: each gets its own status, cause and message, and costs nobody else anything.

All of them are graded in one run of the fixture course, beside an honest one. Nine at a time are
files of one submission, which also shows that none is in the way of the next.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from harness.sandbox.choice import best

ROOT = Path(__file__).parents[1]
COURSE = ROOT / "tests" / "course"
SLEEP = f"600.{os.getpid()}"  # tells our daemons from others in the list of processes

NOT_UTF8 = os.fsdecode(b"new\nline \xff")  # a name that no text in UTF-8 holds
HONEST = """
def square(x):
    return x * x

def total(x):
    return x.sum(1)
"""
NOISE = """
import numpy as np
import torch

def draw(mu, n, generator):
    return mu + torch.randn(n, len(mu), generator=generator, dtype=torch.float64)

def draw_numpy(mu, n, generator):
    return mu + torch.from_numpy(generator.normal(size=(n, len(mu))))
"""


def square(body, head=""):
    """A file whose square is as given; its total is honest."""
    imports = "import os, sys, time, torch\n"
    return f"{imports}{head}\ndef square(x):\n    {body}\n\ndef total(x):\n    return x.sum(1)\n"


# name -> (square.py, cause of check `value`, pattern of its message); status is ERROR unless said
ERRORS = {
    "syntax": ("def square(x:\n    pass\n", "syntax", r"line 1|square_\d.py:1"),
    "wrong-signature": (
        square("return x").replace("square(x)", "square(x, y)"),
        "signature",
        "missing",
    ),
    "missing-function": ("def total(x):\n    return x.sum(1)\n", "missing-name", "square"),
    "not-callable": ("square = 3\n", "missing-name", "callable"),
    "wrong-shape": (
        square("return (x * x).sum(1, keepdim=True)"),
        "bad-output",
        r"\[b=20, k=3\].*\[20, 1\]",
    ),
    "wrong-dtype": (square("return (x * x).float()"), "bad-output", "float32"),
    "half": (square("return (x * x).half()"), "bad-output", "float16"),
    "number": (square("return 1.0"), "bad-output", "float"),
    "none": (square("pass"), "bad-output", "None"),
    "array": (square("return (x * x).numpy()"), "bad-output", "ndarray"),
    "tuple": (square("return x * x, x"), "bad-output", "expected 1 result"),
    "expanded": (
        square("return torch.zeros(1, dtype=torch.float64).expand(1 << 40)"),
        "bad-output",
        "too large",
    ),
    "changes-its-input": (
        square("x.numpy()[:] = 1; return x * x"),
        "changed-argument",
        r"square changed its argument x in place: clone it first \(x = x.clone\(\)\)",
    ),
    "exception": (
        square("raise ValueError('no such thing')"),
        "exception",
        r"ValueError: no such thing.*line 4 of square_\d.py",
    ),
    "mute-exception": (
        square(
            "raise Mute()",
            "class Mute(BaseException):\n    def __str__(self): raise RuntimeError\n",
        ),
        "exception",
        "Mute",
    ),
    "needs-data": (
        "print(open('constants.json').read())\n",
        "exception",
        r"'constants.json'.*; constants.json was handed in and not taken: only .*square.py",
    ),
    "import-error": ("import no_such_module_here\n", "exception", "no_such_module_here"),
    "sys-exit": (square("sys.exit(0)"), "exit", "SystemExit"),
    "os-exit": (square("os._exit(0)"), "exit", "status 0"),
    "exit-at-import": ("import os\nos._exit(7)\n", "exit", "status 7"),
    "endless-loop": (square("while True: pass"), "timeout", "2 s"),
    "sleeps": (square("time.sleep(60)"), "timeout", "2 s"),
    "stopped": (square("os.kill(os.getpid(), 19)"), "timeout", "2 s"),
    "killed": (square("os.kill(os.getpid(), 9)"), "signal", "SIGKILL"),
    "segfault": (square("import ctypes; ctypes.string_at(0)"), "signal", "SIGSEGV"),
    "recursion": (square("return square(x)"), "exception", "RecursionError"),
    "ten-gigabytes": (
        square("return torch.ones(10 << 27, dtype=torch.float64)[:20, None]"),
        "memory",
        "out of memory",
    ),
    "ten-gigabytes-of-bytes": (square("return bytearray(10 << 30)"), "memory", "out of memory"),
    "kills-the-zygote": (
        square("os.kill(os.getppid(), 9); time.sleep(60)"),
        ("worker-died", "exception"),  # at L1 it can, above it isn't permitted
        "ended the process|not permitted",
    ),
    "forged-frames": (
        square(
            "for fd in range(3, 64):\n        try: os.write(fd, b'\\x02\\x00\\x00\\x00{}')\n"
            "        except OSError: pass\n    return x * x"
        ),
        "protocol",
        "",
    ),
    "daemon": (
        square(
            "if os.fork() == 0:\n"
            "        os.setsid()\n"
            "        if os.fork() == 0:\n"
            f"            os.execv('/bin/sleep', ['sleep', '{SLEEP}'])\n"
            "        os._exit(0)\n"
            "    time.sleep(0.3)\n"
            "    return x * x"
        ),
        "leftover-process",
        r"left \d+ process",
    ),
    "liar": (
        square(
            "return Equal()",
            "class Equal:\n    def __eq__(self, other): return True\n    shape = (20, 3)\n",
        ),
        "bad-output",
        "Equal",
    ),
}
# name -> (square.py, cause): a wrong answer is a FAIL
FAILURES = {
    "nan": (square("return x * float('nan')"), "not-finite"),
    "infinite": (square("return x / 0"), "not-finite"),
    "wrong": (square("return x"), "wrong"),
    "subclass": (
        square(
            "return (x + 1).as_subclass(Same)",
            "class Same(torch.Tensor):\n    def __eq__(self, other): return True\n"
            "torch.allclose = torch.equal = lambda *a, **k: True\n",
        ),
        "wrong",
    ),
}
# what looks odd and is right
HARMLESS = {
    "noisy": square("print('x' * 50_000_000); return x * x"),
    "thread-left": square(
        "import threading; threading.Thread(target=time.sleep, args=(60,)).start(); return x * x"
    ),
    "shadows": HONEST,
    "helped": "from helper import twice\n" + HONEST.replace("x * x", "twice(x)"),
}


#: Programs that share a submission: each is the file of a task of its own, a copy of `square`, so
#: that a sandbox is started for several and one that has to be given up is in the others' way.
SHARED = [
    *(name for name in ERRORS if name != "needs-data"),
    *FAILURES,
    *("noisy", "thread-left"),
]
TOGETHER = 9
#: name -> (submission, task); a program that is not named here is a submission of its name
PLACES = {
    name: (f"handed-in-{index // TOGETHER}", f"square-{index % TOGETHER}")
    for index, name in enumerate(SHARED)
}


def place(name):
    return PLACES.get(name, (name, "square"))


def write_course(folder):
    """The fixture course with copies of `square`; the words that name tasks and both folders."""
    names = {"square": "square", "noise": "noise"}
    names |= {f"square-{index}": "square" for index in range(TOGETHER)}
    for part in ("tasks", "reference"):
        for name, copied in names.items():
            shutil.copytree(COURSE / part / copied, folder / part / name)
    for name, copied in names.items():
        spec = folder / "tasks" / name / "task.yaml"
        spec.write_text(spec.read_text().replace(f"id: {copied}\n", f"id: {name}\n", 1))
    chosen = [word for name in names for word in ("--task", name)]
    folders = ("--tasks", str(folder / "tasks"), "--reference", str(folder / "reference"))
    return [*folders, *chosen]


def write_submissions(folder):
    programs = {
        "honest": HONEST,
        "=cmd|x": ERRORS["syntax"][0],  # found before anything runs
        **{name: found[0] for name, found in ERRORS.items()},
        **{name: found[0] for name, found in FAILURES.items()},
        **HARMLESS,
    }
    for name, content in programs.items():
        submission, task = place(name)
        (folder / submission).mkdir(exist_ok=True)
        (folder / submission / f"{task.replace('-', '_')}.py").write_text(content)
    for name in ("json.py", "torch.py", "sitecustomize.py", "conftest.py"):
        (folder / "shadows" / name).write_text("raise SystemExit('shadowed')\n")
    (folder / "helped" / "helper.py").write_text("from deeper import *\n")
    (folder / "helped" / "deeper.py").write_text("def twice(x):\n    return x * x\n")
    (folder / "needs-data" / "constants.json").write_text("{}")
    (folder / "honest" / "noise.py").write_text(NOISE)
    (folder / "empty").mkdir()
    (folder / "binary").mkdir()
    (folder / NOT_UTF8).mkdir()
    (folder / NOT_UTF8 / "square.py").write_text("def")
    (folder / "binary" / "square.py").write_bytes(bytes(range(256)) * 8)
    (folder / "reseeds").mkdir()
    reseeding = NOISE.replace(
        "    return mu + torch.randn", "    generator.manual_seed(0)\n    return mu + torch.randn"
    )
    (folder / "reseeds" / "noise.py").write_text(reseeding)
    with zipfile.ZipFile(folder / "slip.zip", "w") as archive:
        archive.writestr("../square.py", HONEST)
    with zipfile.ZipFile(folder / "zipped.zip", "w") as archive:
        archive.writestr("homework/square.py", HONEST)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The rows of all submissions, their verdicts by (submission, task, check), the results."""
    folder, results = (tmp_path_factory.mktemp(name) for name in ("submissions", "results"))
    write_submissions(folder)
    course = write_course(tmp_path_factory.mktemp("course"))
    command = [sys.executable, "-m", "harness", "grade", str(folder), *course, "--json"]
    done = subprocess.run(
        [*command, "--results", str(results)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    rows = json.loads(done.stdout)["submissions"]
    verdicts = {
        (row["name"], task["id"], check["id"]): check
        for row in rows
        for task in row["tasks"]
        for check in task["checks"]
    }
    return rows, verdicts, results


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_has_its_cause_and_message(graded, name):
    _, cause, pattern = ERRORS[name]
    verdict = graded[1][*place(name), "value"]
    assert (verdict["status"], verdict["points"]) == ("ERROR", 0.0)
    assert verdict["cause"] in ((cause,) if isinstance(cause, str) else cause)
    assert re.search(pattern, verdict["message"]), verdict["message"]
    assert "Traceback" not in verdict["message"]
    assert graded[1][*place(name), "sum"]["status"] == "SKIPPED"


@pytest.mark.parametrize("name", FAILURES)
def test_a_wrong_answer_fails(graded, name):
    verdict = graded[1][*place(name), "value"]
    assert (verdict["status"], verdict["cause"]) == ("FAIL", FAILURES[name][1])


@pytest.mark.parametrize("name", ["honest", "zipped", *HARMLESS])
def test_what_is_right_passes_whatever_stands_beside_it(graded, name):
    found = {check: graded[1][*place(name), check] for check in ("value", "slope", "sum")}
    assert {check: verdict["status"] for check, verdict in found.items()} == dict.fromkeys(
        found, "PASS"
    )
    assert sum(verdict["points"] for verdict in found.values()) == 3.5


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("empty", "empty"),
        ("binary", "not-text"),
        (NOT_UTF8, "syntax"),
        ("slip", "unsafe-archive"),
        ("reseeds", "missing-file"),
    ],
)
def test_what_cannot_be_run_says_why(graded, name, cause):
    for check in ("value", "slope", "sum"):
        verdict = graded[1][name, "square", check]
        status = "ERROR" if check == "value" else "SKIPPED"
        assert verdict["status"] == status
    verdict = graded[1][name, "square", "value"]
    assert verdict["cause"] == cause
    assert verdict["message"]


def test_a_reseeded_generator_is_an_error_of_its_own(graded):
    verdict = graded[1]["reseeds", "noise", "mean"]
    assert (verdict["status"], verdict["cause"]) == ("ERROR", "reseeded")
    assert "reseeds" in verdict["message"]
    assert graded[1]["reseeds", "noise", "numpy-mean"]["status"] == "PASS"
    assert graded[1]["honest", "noise", "mean"]["status"] == "PASS"


def test_a_formula_is_no_formula_in_the_tables(graded):
    for table in ("grades.csv", "leaderboard.csv"):
        for line in (graded[2] / table).read_text(encoding="utf-8").splitlines():
            assert not re.search(r'(^|[,"])[=+@]', line)
    assert "'=cmd|x" in set(pd.read_csv(graded[2] / "leaderboard.csv")["submission"])


def test_every_submission_has_a_row_with_every_task(graded):
    rows, _, results = graded
    board = pd.read_csv(results / "leaderboard.csv")
    alone = {*ERRORS, *FAILURES, *HARMLESS} - set(PLACES)
    assert len(board) == len(rows) == len({name for name, _ in PLACES.values()}) + len(alone) + 8
    assert {"square", "noise", *(task for _, task in PLACES.values())} <= set(board.columns)
    assert not board["square"].isna().any()
    assert set(board["isolation"].dropna()) == {best().label}


def test_nothing_is_left_running(graded):
    del graded
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            commands.append(path.read_bytes())
    assert any(b"pytest" in command for command in commands)
    assert not any(SLEEP.encode() in command for command in commands)
