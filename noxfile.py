"""The project's commands. ``nox`` alone marks the submissions; what follows ``--`` is passed on.

A session that is named after a verb calls ``python -m harness VERB``; these sessions share one
environment, and those that run tests under the current Python another. Pins live in pyproject.toml
and nowhere else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["grade"]
nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_external_run = True
# `nox -s tests-3.14` says that it is skipped where there is no such interpreter, also in CI
nox.options.error_on_missing_interpreters = False

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
#: A test starts sandboxes of its own, so more workers than this gain little and use much memory.
MOST_WORKERS = 4
#: How pytest-xdist shares out the tests: a file stays in one worker, which keeps its fixtures.
DISTRIBUTION = "loadfile"
#: For sessions that use an environment of :func:`shared_python` and none of their own.
SHARED = nox.session(venv_backend="none")


def install(session: nox.Session, *groups: str, python: str = "python") -> None:
    """Installs the project with its extras, and the dependency groups that are named."""
    started = time.monotonic()
    session.log("installing (about 250 MB on the first run; nothing on the next)")
    pins = [pin for group in groups for pin in nox.project.dependency_groups(PROJECT, group)]
    command = (python, "-m", "pip", "install", "--progress-bar", "off", "-e", ".[atari,isolation]")
    session.run_install(*command, *pins, external=python != "python", silent=True)
    session.log(f"installed in {time.monotonic() - started:.0f} s")


def shared_python(session: nox.Session, name: str, *groups: str) -> str:
    """The Python of an environment that several sessions share, made where it is missing."""
    folder = Path.cwd() / ".nox" / f"{name}-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    if not python.exists():
        session.run(sys.executable, "-m", "venv", str(folder), external=True, silent=True)
    install(session, *groups, python=str(python))
    return str(python)


def verb(session: nox.Session, *, passing: tuple[int, ...] = (0,)) -> None:
    """Runs the verb that the session is named after; ``passing`` lists the exit codes that pass."""
    command = (shared_python(session, "fairmark"), "-m", "harness", session.name)
    session.run(*command, *session.posargs, success_codes=passing, external=True)


def pytest(session: nox.Session, python: str, *options: str) -> None:
    """Runs the tests in parallel; ``-- -n 0`` runs them in one process."""
    # in the order of tests/conftest.py: a file that takes minutes must not be the last one
    order = ("--dist", DISTRIBUTION, "--no-loadscope-reorder")
    # one more than there are cores, since many tests wait: for a time limit, for a grader to end
    parallel = ("-n", str(min(cores() + 1, MOST_WORKERS)), *order)
    command = (python, "-m", "pytest", *parallel, *options, *session.posargs)
    session.run(*command, external=python != "python")


# What marks submissions: exit code 1 says that a submission did not pass, which is an answer.


@SHARED
def grade(session: nox.Session) -> None:
    """Mark submissions: nox -s grade [-- PATH… --task ID --phase final --key-file F …]"""
    verb(session, passing=(0, 1))


@SHARED
def score(session: nox.Session) -> None:
    """Compute marks again from stored observations, running nothing."""
    verb(session, passing=(0, 1))


@SHARED
def report(session: nox.Session) -> None:
    """Write the reports of the last run again."""
    verb(session, passing=(0, 1))


@SHARED
def replay(session: nox.Session) -> None:
    """Score stored observations again and compare bit for bit."""
    verb(session, passing=(0, 1))


@SHARED
def example(session: nox.Session) -> None:
    """Replay the worked example of a statement: nox -s example -- TASK FILE"""
    verb(session, passing=(0, 1))


@SHARED
def override(session: nox.Session) -> None:
    """Give points beside the computed ones: nox -s override -- ID TASK[/CHECK] POINTS --reason …"""
    verb(session, passing=(0, 1))


@SHARED
def summary(session: nox.Session) -> None:
    """Show a class at a glance: nox -s summary [-- --csv checks …]"""
    verb(session)


@SHARED
def explain(session: nox.Session) -> None:
    """Show all there is about one mark: nox -s explain -- ID TASK[/CHECK] [--for-student]"""
    verb(session)


@SHARED
def term(session: nox.Session) -> None:
    """Put the marks of all assignments together: nox -s term [-- --phase final]"""
    verb(session)


@nox.session(name="import", venv_backend="none")
def import_download(session: nox.Session) -> None:
    """Make roster and times of a download: nox -s import -- PATH --to DIR"""
    verb(session)


@SHARED
def export(session: nox.Session) -> None:
    """Fill a table of Canvas or Moodle: nox -s export -- canvas gradebook.csv --to filled.csv"""
    verb(session, passing=(0, 1))


@SHARED
def assignments(session: nox.Session) -> None:
    """Show the assignments with their dates and rules."""
    verb(session)


@nox.session(name="list", venv_backend="none")
def list_tasks(session: nox.Session) -> None:
    """List what can be graded."""
    verb(session)


@SHARED
def doctor(session: nox.Session) -> None:
    """Show what this machine offers, and which isolation is in force."""
    verb(session)


# What proves the tasks and the harness: exit code 1 is a failure.


@SHARED
def verify(session: nox.Session) -> None:
    """Prove the tasks: honest work passes, every known mistake is caught."""
    verb(session)


@SHARED
def handout(session: nox.Session) -> None:
    """Write what students get: nox -s handout -- DIR [--assignment NAME --task ID …]"""
    verb(session)


@SHARED
def gradescope(session: nox.Session) -> None:
    """Write an autograder for Gradescope: nox -s gradescope -- ASSIGNMENT [--to FILE]"""
    verb(session)


@SHARED
def classroom50(session: nox.Session) -> None:
    """Write an autograder for Classroom 50: nox -s classroom50 -- ASSIGNMENT --to DIR"""
    verb(session)


@SHARED
def new(session: nox.Session) -> None:
    """Write the files of a new task: nox -s new -- ID [--title TITLE]"""
    verb(session)


@SHARED
def statement(session: nox.Session) -> None:
    """Show which statements are out of date: nox -s statement [-- TASK… --write]"""
    verb(session, passing=(0, 1))


@SHARED
def schema(session: nox.Session) -> None:
    """Show which JSON Schemas are out of date: nox -s schema [-- --write]"""
    verb(session, passing=(0, 1))


@SHARED
def calibrate(session: nox.Session) -> None:
    """Measure the error rates that the specs declare; an interrupted run goes on."""
    verb(session)


@SHARED
def redteam(session: nox.Session) -> None:
    """Run the known attacks and show what every level of isolation stops."""
    verb(session)


@SHARED
def targets(session: nox.Session) -> None:
    """List or make stored reference distributions."""
    verb(session, passing=(0, 1))


@SHARED
def bench(session: nox.Session) -> None:
    """Measure what grading costs, as ratios within one run."""
    verb(session, passing=(0, 1))


# What developers run.


@SHARED
def tests(session: nox.Session) -> None:
    """Run the default test suite in parallel: nox -s tests [-- PATH… -n 0 …]"""
    pytest(session, shared_python(session, "pytest", "test"))


@SHARED
def quick(session: nox.Session) -> None:
    """Run the quick subset of the tests: no sandbox, no training."""
    pytest(session, shared_python(session, "pytest", "test"), "-m", "quick")


@SHARED
def slow(session: nox.Session) -> None:
    """Run the tests that take minutes, which the default suite leaves out."""
    pytest(session, shared_python(session, "pytest", "test"), "-m", "slow")


@SHARED
def coverage(session: nox.Session) -> None:
    """Print the branch coverage of harness/; a sandbox's own processes are not measured."""
    options = ("--cov", "--cov-report=term:skip-covered")
    pytest(session, shared_python(session, "pytest", "test"), *options)


for version in PYTHONS:

    @nox.session(name=f"tests-{version}", python=version)
    def tests_under(session: nox.Session) -> None:
        """Run the default test suite under this Python; skipped where it is not installed."""
        install(session, "test")
        pytest(session, "python")


@nox.session
def lint(session: nox.Session) -> None:
    """Run ruff, mypy --strict and, in a git checkout, the other hooks of pre-commit."""
    install(session, "lint", "docs")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    if not in_git_checkout():
        session.log("no git checkout: the hooks that need one are left out")
        return
    # the first three have just run; the hooks are local, so nothing is fetched
    environment = {"SKIP": "ruff-check,ruff-format,mypy", "PRE_COMMIT_HOME": session.create_tmp()}
    session.run("pre-commit", "run", "--all-files", "--show-diff-on-failure", env=environment)


@nox.session(venv_backend="none")
def hooks(session: nox.Session) -> None:
    """Have git run the hooks before every commit; `nox -s lint` must have run once before."""
    session.run(".nox/lint/bin/pre-commit", "install", external=True)


@nox.session
def docs(session: nox.Session) -> None:
    """Simulate and draw size and power of every statistic: nox -s docs [-- NAME… --draw]"""
    install(session, "docs")
    session.run("python", "docs/plots.py", *session.posargs)


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_git_checkout() -> bool:
    """Whether git works here: not in an unpacked archive, nor where git distrusts the owner."""
    if shutil.which("git") is None:
        return False
    command = ["git", "rev-parse", "--is-inside-work-tree"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
