"""Builders of small gradebooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from harness.marking.gradebook import Gradebook, RunRecord, SubmissionGrade, TaskGrade
from harness.records import Status, Verdict

SHA = "ab" * 32
BEST = 2.0


@dataclass(frozen=True)
class Build:
    """Makes verdicts, rows and gradebooks; what is not said is unremarkable."""

    def verdict(self, check: str = "value", status: Status = "PASS", **fields: Any) -> Verdict:
        points = {"PASS": BEST, "UNGRADABLE": None}.get(status, 0.0)
        values: dict[str, Any] = {
            "submission": "someone",
            "task": "kl",
            "cause": "",
            "points": points,
            "max_points": BEST,
            "visibility": "visible",
        }
        return Verdict(check=check, status=status, **(values | fields))

    def task(self, *verdicts: Verdict, id: str = "kl", title: str = "Divergence") -> TaskGrade:
        best = sum(verdict.max_points for verdict in verdicts)
        return TaskGrade(id, title, "exact", best, verdicts)

    def row(self, name: str = "ada", *tasks: TaskGrade, **fields: Any) -> SubmissionGrade:
        values = {"display_name": name, "sha256": SHA, "identity": "roster", "isolation": "L3"}
        values |= fields
        return SubmissionGrade(name=name, tasks=tasks or (self.task(self.verdict()),), **values)

    def scored(self, name: str, points: float, **fields: Any) -> SubmissionGrade:
        """A row of one check with some points of two."""
        status: Status = "PASS" if points == BEST else "FAIL"
        return self.row(name, self.task(self.verdict(status=status, points=points)), **fields)

    def book(
        self,
        *rows: SubmissionGrade,
        assignment: str = "homework-1",
        phase: str = "final",
        circumstances: Mapping[str, Any] | None = None,
    ) -> Gradebook:
        run = RunRecord(assignment, phase, "c" * 64, "0.1.0", "d" * 64, "0123abc")
        return Gradebook(run, rows, circumstances or {})

    def every_status(self, name: str = "ada") -> SubmissionGrade:
        """One check of every status and two hidden ones, over two tasks."""
        example = {"call": "f(x)", "got": "1.0", "wanted": "2.0", "note": "in nats"}
        first = self.task(
            self.verdict("passes"),
            self.verdict(
                "fails", "FAIL", points=0.5, cause="wrong", example=example,
                message="It is off by one.", hint="Look at the sign.",
            ),
            self.verdict("undecided", "INCONCLUSIVE", points=1.0),
            self.verdict("raises", "ERROR", cause="exception", message="It raised ValueError."),
        )  # fmt: skip
        hidden: dict[str, Any] = {"visibility": "hidden", "hint": "unseen-hint"}
        second = self.task(
            self.verdict("skipped", "SKIPPED", task="nll"),
            self.verdict("ours", "UNGRADABLE", task="nll", message="The sandbox did not start."),
            self.verdict("secret", "FAIL", task="nll", example={"got": "unseen-got"}, **hidden),
            self.verdict("secret-pass", task="nll", example={"got": "unseen-got"}, **hidden),
            id="nll",
            title="Likelihood",
        )
        return self.row(name, first, second)


@pytest.fixture
def build() -> Build:
    return Build()


#: Texts that some reader obeys instead of showing, or stumbles over.
HOSTILE = {
    "command": "=cmd|' /C calc'!A0",
    "sum": "@SUM(A1:A9)",
    "plus": "+1+1",
    "minus": "-1+1",
    "tab": "\t=1",
    "return": "\r=1",
    "wide formula": "＝1＋1",
    "quoted formula": 'a";"=1',
    "colour": "\x1b[31mred\x1b[0m\x1b[2J",
    "clipboard": "\x1b]52;c;cm0gLXJmIH4=\x07copied",
    "link of a terminal": "\x1b]8;;http://a.example\x1b\\link\x1b]8;;\x1b\\",
    "device control": "\x1bP+q544e\x1b\\\x1b_Gi=1\x1b\\",
    "eight bits": "\x9b31mred\x9d0;title\x9c",
    "without end": "\x1b]0;never ended",
    "nested escapes": "\x1b\x1b[0m[31mx",
    "overwriting": "passed\b\b\b\b\b\bfailed\x7f",
    "direction": "abc\u202egpj.exe\u2066",
    "marks": "\u200e\u200f\u061cabc\u2069",
    "invisible": "a\u200bd\u00ad\ufeffa\U000e0041",
    "surrogates": "a\ud800b\udfff",
    "file system bytes": "caf\udce9",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "markup": "[link](javascript:alert(1)) **bold** `code` # head | cell",
    "image": "![x](http://a.example/?q=1) <http://a.example> www.a.example",
    "template": "{{ 7 * 7 }}{% raw %}",
    "path": "../../etc/passwd",
    "lines": "line\nfeed\r\nand\u2028more\u2029\x85\x0b\x0c.",
    "headings": "a\n# b\n- c\n> d\n```\ne\n\n    f",
    "xml": "]]><failure/>&amp;\x00\ufffe\uffff<!--",
    "json": '"},{"score": 1e999, "x": "\\u0000',
    "rich": "[red]rich markup[/red][link=http://a.example]x[/link]",
    "combining": "a" + "\u0301" * 3000,
    "long": "x" * 200_000,
    "many escapes": "\x1b[" * 5000,
}


@pytest.fixture
def hostile() -> tuple[str, ...]:
    """All hostile texts, and the empty one."""
    return (*HOSTILE.values(), "")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives a test that asks for ``nasty`` one hostile text after the other."""
    if "nasty" in metafunc.fixturenames:
        metafunc.parametrize("nasty", HOSTILE.values(), ids=HOSTILE)
