"""An attack: a submission, what it tries, and what is expected of it at every level.

A folder ``NNN-name`` holds ``attack.yaml`` and either the files of the submission or ``build.py``,
whose ``build(folder)`` makes one and returns its path. ``@name@`` in a source stands for something
that is known only when the attack runs (:data:`PLACEHOLDERS`), ``@include:name@`` in a comment for
a file of the folder ``shared`` beside it.
"""

from __future__ import annotations

import os
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from harness.errors import Problem, SpecError, UsageError
from harness.records import Status
from harness.spec import strict_yaml
from harness.spec.checks import Identifier, Model

Level = Literal["L1", "L2", "L2U", "L3"]
LEVELS: tuple[Level, ...] = ("L1", "L2", "L2U", "L3")

#: Effects of an attack, each the name of one thing that must not happen.
Effect = Literal[
    "secret-file",  # the content of a file of the grader's machine
    "other-submission",  # the same of another submission
    "environ",  # the grader's environment
    "grader-memory",
    "decoy-environ",  # another process of the grader's user
    "decoy-memory",
    "tcp",  # a connection or a datagram arrived
    "udp",
    "abstract-socket",
    "unix-socket",
    "witness-changed",  # a file, its mode, its owner, its times or its folder
    "decoy-killed",
    "decoy-signalled",
    "claimed",  # the attack itself says that it got what it tried to get
    "output-shown",  # what it printed stands in a report for students
    "survivors",  # processes that outlive their sandbox
    "files-left",
    "ledger-changed",
    "honest-grade-changed",
    "report-invalid",  # a report that does not parse, or that would be obeyed instead of read
    "grader-crashed",
    "grader-hung",
]

#: The names that may stand between two @ in the sources of an attack.
PLACEHOLDERS = frozenset(
    """secret_file secret_folder other_submission witness_file witness_folder harness_file
    results_folder ledger grader_pid grader_address decoy_pid decoy_address token_bytes tcp_port
    udp_port abstract_name socket_path claim tag public""".split()
)
_PLACEHOLDER = re.compile(rb"@(?:(include):)?([a-z_]+)@")


class AtMost(Model):
    """A score that may not exceed that of an honest submission."""

    at_most_honest: Annotated[str, Field(pattern=r"^[0-9]{3}-[a-z0-9-]+$")]


class Expect(Model):
    """How the submission must be marked: the score as a share of all points, statuses, causes."""

    score: Annotated[float, Field(ge=0, le=1)] | AtMost
    status: Annotated[tuple[Status, ...], Field(min_length=1)]
    cause: Annotated[tuple[str, ...], Field(min_length=1)]


class Declared(Model):
    """attack.yaml.

    ``stopped_from`` is the weakest level that claims to stop it. ``below`` says what happens at
    weaker ones: it is not run because it would do harm, or it runs and may leave ``leaks``.
    ``alone``: no other attack runs meanwhile, since this one reaches for all of them. ``honest`` is
    the counterpart that is shown beside it, where its score doesn't name one.
    """

    id: Annotated[int, Field(ge=0, le=999)]
    name: Identifier
    title: Annotated[str, Field(min_length=10, max_length=160)]
    stopped_from: Level
    below: Literal["not-run", "leaks"] = "leaks"
    leaks: tuple[Effect, ...] = ()
    alone: bool = False
    honest: Annotated[str, Field(pattern=r"^[0-9]{3}-[a-z0-9-]+$")] = "000-honest"
    expect: Expect
    skip_unless: tuple[Literal["linux", "root", "not-root"], ...] = ()


@dataclass(frozen=True)
class Attack:
    """A declared attack and its files, placeholders included."""

    declared: Declared
    sources: Mapping[str, bytes]

    @cached_property
    def label(self) -> str:
        """The name of its folder."""
        return f"{self.declared.id:03}-{self.declared.name}"

    @property
    def honest(self) -> str:
        """The honest counterpart, which its score is compared with."""
        score = self.declared.expect.score
        return score.at_most_honest if isinstance(score, AtMost) else self.declared.honest

    def claimed_at(self, level: Level) -> bool:
        """Whether this level claims to stop the attack."""
        return LEVELS.index(level) >= LEVELS.index(self.declared.stopped_from)

    def unmet(self) -> str:
        """What the attack needs and this machine lacks; empty where nothing is missing."""
        offers = {
            "linux": os.uname().sysname == "Linux",
            "root": os.getuid() == 0,
            "not-root": os.getuid() != 0,
        }
        return ", ".join(need for need in self.declared.skip_unless if not offers[need])

    def make(self, folder: Path, values: Mapping[str, str]) -> Path:
        """Makes the submission in an empty folder and returns its path."""
        ready = {name: _fill(content, values) for name, content in self.sources.items()}
        if "build.py" in ready:
            module = types.ModuleType(f"build_{self.declared.id}")
            source = compile(ready["build.py"], f"{self.label}/build.py", "exec", dont_inherit=True)
            exec(source, module.__dict__)
            build: Callable[[Path], Path] = module.__dict__["build"]
            return build(folder)
        path = folder / "attack"
        path.mkdir()
        for name, content in ready.items():
            (path / name).write_bytes(content)
        return path


def numbers(folder: Path) -> set[int]:
    """The numbers of a folder's attacks, as the names of their folders say."""
    return {int(path.parent.name[:3]) for path in folder.glob("[0-9][0-9][0-9]-*/attack.yaml")}


def load(folder: Path, chosen: Sequence[int] = ()) -> list[Attack]:
    """The attacks of a folder by number, or the chosen ones and their honest counterparts.

    Raises:
        UsageError: there is none, or a chosen one is missing.
        SpecError: every problem of their files.
    """
    problems: list[Problem] = []
    attacks: dict[str, Attack] = {}
    for path in sorted(folder.glob("*/attack.yaml")):
        attack = _load(path, problems)
        if attack is not None:
            attacks[attack.label] = attack
    if not attacks and not problems:
        raise UsageError(f"{folder}: no attack found; an attack is a folder with an attack.yaml")
    for attack in attacks.values():
        if attack.honest not in attacks:
            message = f"the honest counterpart {attack.honest} does not exist"
            place = str(folder / attack.label / "attack.yaml")
            problems.append(Problem(place, 1, 1, message, "name the folder of an attack"))
    if problems:
        raise SpecError(problems)
    missing = set(chosen) - {attack.declared.id for attack in attacks.values()}
    if missing:
        raise UsageError(f"no attack has the number {min(missing)}; --attack takes those of a list")
    labels = {
        attack.label for attack in attacks.values() if not chosen or attack.declared.id in chosen
    }
    labels |= {attacks[label].honest for label in labels}
    return [attack for label, attack in attacks.items() if label in labels]


def _load(path: Path, problems: list[Problem]) -> Attack | None:
    try:
        declared = strict_yaml.load(path, Declared)
    except SpecError as error:
        problems += error.problems
        return None
    sources = {
        item.name: item.read_bytes()
        for item in sorted(path.parent.iterdir())
        if item.is_file() and item != path
    }
    attack = Attack(declared, {name: _include(path, text) for name, text in sources.items()})
    if path.parent.name != attack.label:
        message = f"id and name make {attack.label}, the folder is called {path.parent.name}"
        problems.append(Problem(str(path), 1, 1, message, "rename one of them"))
    if not sources:
        problems.append(Problem(str(path), 1, 1, "there is no submission", "add it or build.py"))
    for name, text in attack.sources.items():
        for match in _PLACEHOLDER.finditer(text):
            if match[1] or match[2].decode() not in PLACEHOLDERS:
                line = text.count(b"\n", 0, match.start()) + 1
                message = f"{match[0].decode()} stands for nothing"
                remedy = f"use one of {', '.join(sorted(PLACEHOLDERS))}"
                problems.append(Problem(str(path.with_name(name)), line, 1, message, remedy))
    return attack


def _include(path: Path, text: bytes) -> bytes:
    """The text with shared files in the place of their names; unknown names stay, for the check."""

    def content(match: re.Match[bytes]) -> bytes:
        shared = path.parents[1] / "shared" / f"{match[2].decode()}.py"
        known = match[1] and shared.is_file()
        return b"\n" + shared.read_bytes() if known else match[0]

    return _PLACEHOLDER.sub(content, text)


def _fill(text: bytes, values: Mapping[str, str]) -> bytes:
    return _PLACEHOLDER.sub(lambda match: values[match[2].decode()].encode(), text)
