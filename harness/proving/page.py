"""The tables of ``verify``, for people and for machines: margins, and which check catches what.

``verification.csv`` has a row for every check of every honest program and for every known mistake
at the check that must catch it; ``verification.md`` is made from that file alone. ``verified.csv``
says for which files of a task that was found, so that nobody takes old figures for new ones. Tasks
that a run leaves out keep their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from harness import kinds
from harness.files import read_csv, write_csv, write_text
from harness.marking.score import Decision
from harness.mutation import keys_page
from harness.mutation import page as mutation_page
from harness.proving.verification import HONEST_MARGIN, MUTANT_MARGIN, TaskProof
from harness.records import canonical, sha256
from harness.results import Results
from harness.spec.checks import Check
from harness.spec.load import LoadedTask

COLUMNS = (
    *("task", "role", "program", "check", "status", "cause", "margin", "caught"),
    *("bug", "erratum", "hint"),
)
#: The columns of verified.csv: a task, the digest of its files, how many complaints there were.
VERIFIED = ("task", "digest", "complaints")
Row = dict[str, str]


def write(proofs: Sequence[TaskProof], results: Results, tasks: Path) -> list[Path]:
    """verification.csv and verification.md among the figures of a results folder.

    Rows that an earlier run wrote about other tasks stay while the folder ``tasks`` has these.
    """
    results.make_figures()
    path = results.figure("verification.csv")
    new = [row for proof in proofs for row in _rows(proof)]
    proven = {proof.task.id for proof in proofs}
    rows = [*results.other_rows("verification.csv", COLUMNS, proven, tasks), *new]
    rows.sort(key=lambda row: row["task"])
    return [
        write_csv(path, COLUMNS, rows),
        _write_verified(proofs, results, tasks),
        write_page(results),
    ]


def digest(task: LoadedTask) -> str:
    """A digest of all files of a task and its reference that a verification depends on."""
    assert task.reference is not None
    reference = task.reference
    programs = [reference.solution, *reference.variants]
    parts = [
        task.spec.model_dump(mode="json", exclude={"images", "environments"}),  # in the protocol
        task.protocol,
        [program.sha256 for program in programs],
        [[each.mistake.model_dump(mode="json"), each.program.sha256] for each in reference.mutants],
        reference.answers.model_dump(mode="json") if reference.answers else None,
    ]
    return sha256(canonical(parts))


def verified(results: Results) -> dict[str, Row]:
    """The rows of verified.csv by task; none where there is no such file."""
    rows = read_csv(results.figure("verified.csv"), VERIFIED)
    return {row["task"]: row for row in rows}


def _write_verified(proofs: Sequence[TaskProof], results: Results, tasks: Path) -> Path:
    rows = {
        name: row
        for name, row in verified(results).items()
        if (tasks / name / "task.yaml").is_file()
    }
    for proof in proofs:
        count = str(len(proof.complaints))
        row = {"task": proof.task.id, "digest": digest(proof.task), "complaints": count}
        rows[proof.task.id] = row
    return write_csv(
        results.figure("verified.csv"), VERIFIED, [rows[name] for name in sorted(rows)]
    )


def write_page(results: Results) -> Path:
    """Writes verification.md; see :func:`text`."""
    return write_text(results.figure("verification.md"), text(results))


def text(results: Results) -> str:
    """All of verification.md, from the tables that lie among the figures."""
    parts = [
        page(read_csv(results.figure("verification.csv"), COLUMNS)),
        mutation_page.section(results),
        keys_page.section(results),
    ]
    return "\n".join(["# Verification", "", *filter(None, parts)])


def _rows(proof: TaskProof) -> Iterator[Row]:
    task, checks = proof.task.id, proof.task.spec.checks
    for item in proof.honest:
        for check in checks:
            yield _row(task, item.role, item.name, check, item.decisions[check.id])
    for mutant in proof.mutants:
        mistake, check = mutant.mutant.mistake, mutant.named
        yield {
            **_row(task, "mutant", mistake.name, check, mutant.decisions[check.id]),
            "caught": "yes" if mutant.caught else "no",
            "bug": " ".join(map(str, mistake.bug)),
            "erratum": " ".join(mistake.erratum),
            "hint": mistake.hint,
        }


def _row(task: str, role: str, program: str, check: Check, decision: Decision) -> Row:
    return {
        "task": task,
        "role": role,
        "program": program,
        "check": check.id,
        "status": decision.status,
        "cause": decision.cause,
        "margin": f"{decision.margin:.3g}" if kinds.of(check).has_tolerance else "",
        **dict.fromkeys(("caught", "bug", "erratum", "hint"), ""),
    }


def page(rows: Sequence[Row]) -> str:
    """Both tables, in Markdown."""
    return "\n".join([*_margins(rows), "", *_mistakes(rows), ""])


def _margins(rows: Sequence[Row]) -> Iterator[str]:
    yield (
        f"Errors in units of the tolerance: asked for are at most {HONEST_MARGIN:g} of honest work "
        f"and at least {MUTANT_MARGIN:g} of a\nmistake. Checks that have no tolerance (statistics, "
        "properties, training) are counted without."
    )
    yield ""
    yield "| task | honest programs | worst honest error | mistakes | caught | smallest mistake |"
    yield "|---|---|---|---|---|---|"
    mistakes = caught = 0
    for task, group in groupby(rows, key=lambda row: row["task"]):
        of_task = list(group)
        honest = [row for row in of_task if row["role"] != "mutant"]
        mutants = [row for row in of_task if row["role"] == "mutant"]
        found_out = sum(row["caught"] == "yes" for row in mutants)
        programs = len({row["program"] for row in honest})
        yield (
            f"| {task} | {programs} | {_extreme(honest, max)} | {len(mutants)} | {found_out} "
            f"| {_extreme(mutants, min)} |"
        )
        mistakes, caught = mistakes + len(mutants), caught + found_out
    yield ""
    yield f"{caught} of {mistakes} known mistakes are caught by the check that must catch them."


def _extreme(rows: Iterable[Row], choose: Callable[..., tuple[float, str]]) -> str:
    """The largest or smallest margin with its check; a dash where no row has one."""
    margins = [(float(row["margin"]), row["check"]) for row in rows if row["margin"]]
    if not margins:
        return "–"
    margin, check = choose(margins)
    return f"{margin:.2g} ({check})"


def _mistakes(rows: Sequence[Row]) -> Iterator[str]:
    yield (
        "Which check catches what. Bugs are numbered as in the catalogue, X marks a literal "
        "reading of an\nerratum; a mistake that belongs to several stands at each, those that "
        "belong to none at the end."
    )
    yield ""
    yield "| bug | task | mistake | check | error | hint |"
    yield "|---|---|---|---|---|---|"
    mutants = [row for row in rows if row["role"] == "mutant"]
    numbered = [(int(bug), row) for row in mutants for bug in row["bug"].split()]
    errata = [(mark, row) for row in mutants for mark in row["erratum"].split()]
    listed = [(str(bug), row) for bug, row in sorted(numbered, key=lambda item: item[0])]
    listed += sorted(errata, key=lambda item: int(item[0][1:]))
    listed += [("–", row) for row in mutants if not (row["bug"] or row["erratum"])]
    for bug, row in listed:
        error = row["margin"] or row["cause"] or row["status"]
        hint = row["hint"].replace("|", "\\|")
        yield f"| {bug} | {row['task']} | {row['program']} | {row['check']} | {error} | {hint} |"
