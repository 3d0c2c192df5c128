"""The project's commands. ``nox`` alone marks the submissions; what follows ``--`` is passed on.

Every session but tests, lint and docs calls ``python -m harness VERB``. Pins live in pyproject.toml
and nowhere else.
"""

from __future__ import annotations

import time

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["grade"]
nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_external_run = True

PROJECT = nox.project.load_toml("pyproject.toml")


def install(session: nox.Session, *groups: str) -> None:
    """The project with its extras, and the dependency groups asked for."""
    started = time.monotonic()
    session.log("installing (about 250 MB on the first run; nothing on the next)")
    wanted = [item for group in groups for item in nox.project.dependency_groups(PROJECT, group)]
    session.install("--progress-bar", "off", "-e", ".[atari,isolation]", *wanted)
    session.log(f"installed in {time.monotonic() - started:.0f} s")


def verb(session: nox.Session, name: str) -> None:
    """``python -m harness NAME …``; 1 says that something did not pass, which is an answer."""
    install(session)
    arguments = session.posargs
    session.run("python", "-m", "harness", name, *arguments, success_codes=[0, 1])


@nox.session
def grade(session: nox.Session) -> None:
    """Mark submissions: nox -s grade [-- PATH… --task ID --phase final --key-file F …]"""
    verb(session, "grade")


@nox.session
def tests(session: nox.Session) -> None:
    """The default test suite; `nox -s tests -- -m slow` runs the long part."""
    install(session, "test")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """ruff and mypy --strict."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("mypy")


@nox.session
def verify(session: nox.Session) -> None:
    """Prove the tasks: honest work passes, every known mistake is caught."""
    install(session)
    session.run("python", "-m", "harness", "verify", *session.posargs)


@nox.session
def calibrate(session: nox.Session) -> None:
    """Measure the error rates that the specs declare; an interrupted run goes on."""
    install(session)
    session.run("python", "-m", "harness", "calibrate", *session.posargs)


@nox.session
def targets(session: nox.Session) -> None:
    """List or make stored reference distributions."""
    verb(session, "targets")


@nox.session
def replay(session: nox.Session) -> None:
    """Score stored observations again and compare bit for bit."""
    verb(session, "replay")


@nox.session
def redteam(session: nox.Session) -> None:
    """Run the known attacks and show what every level of isolation stops."""
    install(session)
    session.run("python", "-m", "harness", "redteam", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """What grading costs, as ratios within one run."""
    verb(session, "bench")


@nox.session
def docs(session: nox.Session) -> None:
    """Simulate and draw size and power of every statistic: nox -s docs [-- NAME… --draw]"""
    install(session, "docs")
    session.run("python", "docs/plots.py", *session.posargs)
