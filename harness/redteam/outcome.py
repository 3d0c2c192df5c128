"""What came of attacks: results, rounds of them, and what is not as an attack declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.redteam.grader import HONEST
from harness.redteam.model import AtMost, Attack, Effect, Level

_WORST = ("UNGRADABLE", "ERROR", "FAIL", "INCONCLUSIVE", "PASS")


@dataclass(frozen=True)
class Result:
    """The result of one attack at one level.

    Attributes:
        honest: the score of its honest counterpart.
        score: a share of all points.
        effects: what it reached; expected where the level does not claim to stop the attack.
        complaints: what is not as expected.
        not_run: why it was not run; empty if it was.
    """

    attack: Attack
    level: Level
    honest: float | None = None
    score: float | None = None
    status: str = ""
    cause: str = ""
    effects: tuple[Effect, ...] = ()
    complaints: tuple[str, ...] = ()
    not_run: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        declared = self.attack.declared
        return {
            "id": declared.id,
            "name": declared.name,
            "honest": self.honest,
            "score": self.score,
            "status": self.status,
            "cause": self.cause,
            "expected": declared.expect.model_dump(),
            "side_effects": list(self.effects),
            "stopped_from": declared.stopped_from,
            "complaints": list(self.complaints),
            "not_run": self.not_run,
            "seconds": round(self.seconds, 2),
        }


@dataclass(frozen=True)
class Round:
    """All attacks at one level; ``unavailable`` says why there are none."""

    level: Level
    canaries: Mapping[str, str] = field(default_factory=dict)
    results: tuple[Result, ...] = ()
    unavailable: str = ""
    complaints: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether everything is as expected."""
        return not self.complaints and not any(result.complaints for result in self.results)

    def to_json(self) -> dict[str, Any]:
        return {
            "level": self.level,
            "canaries": dict(self.canaries),
            "attacks": [result.to_json() for result in self.results],
            "unavailable": self.unavailable,
            "complaints": list(self.complaints),
        }


def joined(played: Sequence[Round]) -> Round:
    """Rounds of different attacks at one level, as one."""
    first = played[0]
    return Round(
        first.level,
        first.canaries,
        tuple(result for each in played for result in each.results),
        first.unavailable,
        tuple(complaint for each in played for complaint in each.complaints),
    )


def unexpected(result: Result) -> Iterator[str]:
    """What of the score, the status and the cause of an attack is not as it declares."""
    expect = result.attack.declared.expect
    if result.score is None:
        if not result.effects:
            yield "there is no score"
        return
    if not isinstance(expect.score, AtMost) and abs(result.score - expect.score) > 1e-9:
        yield f"score {result.score:g}, {expect.score:g} is expected"
    if result.status not in expect.status:
        yield f"status {result.status}, one of {', '.join(expect.status)} is expected"
    if result.cause not in expect.cause:
        yield f"cause {result.cause!r}, one of {', '.join(map(repr, expect.cause))} is expected"


def marks(rows: Sequence[Mapping[str, Any]], names: set[str]) -> dict[str, Any]:
    """Status, cause and points of every check of some submissions."""
    return {
        f"{row['name']}/{task['id']}/{check['id']}": [
            check["status"],
            check["cause"],
            check["points"],
        ]
        for row in rows
        if row["name"] in names
        for task in row["tasks"]
        for check in task["checks"]
    }


def worst(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The score, and the worst status with its cause, of all but the honest submission.

    Tasks of which nothing was submitted count only if nothing was submitted for any task.
    """
    others = [row for row in rows if row["name"] != HONEST]
    checks = [check for row in others for task in row["tasks"] for check in task["checks"]]
    if not checks:
        return {}
    tried = [check for check in checks if check["cause"] != "missing-file"] or checks
    decided = [check for check in tried if check["status"] != "SKIPPED"] or tried
    last = min(decided, key=lambda check: _WORST.index(check["status"]))
    possible = sum(row["max_points"] for row in others)
    score = sum(row["points"] for row in others) / possible if possible else 0.0
    return {"score": score, "status": last["status"], "cause": last["cause"]}
