"""Pictures of right and of wrong programs: ``python docs/evidence/pictures.py``.

Each is what show.py of a task draws of one program under the public key, as feedback.md has it; the
wrong ones are known mistakes, with the reference's beside them as a student sees them. One trains,
three processor seconds. docs/generative.md shows them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.collect.bare import BareProgram
from harness.marking import shown
from harness.records import Program
from harness.report import pictures
from harness.spec.load import LoadedTask, load_task

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "evidence"
#: Task, number of its picture, and the known mistake beside the solution.
PAIRS = (
    ("px-mask", "2", "rows-below-kept"),
    ("vae-2d-gaussian", "1", "trained-with-detached-z"),
)


def path(task: str, mistake: str = "") -> Path:
    """Where a picture lies: of a mistake, or of the solution."""
    return FOLDER / f"{task}.{mistake or 'solution'}.svg"


def drawn(task: LoadedTask, program: Program) -> dict[str, dict[str, Any]]:
    """What show.py draws of a program."""
    with BareProgram(task, program) as bare:
        return bare.pictures()


def pair(name: str, number: str, mistake: str) -> dict[Path, str]:
    """The two pictures of one task, by their files."""
    task = load_task(ROOT / "tasks" / name, ROOT / "reference" / name)
    assert task.reference is not None
    (mutant,) = (each for each in task.reference.mutants if each.mistake.name == mistake)
    right = drawn(task, task.reference.solution)[number]
    wrong = drawn(task, mutant.program)[number]
    return {
        path(name): pictures.svg(shown._picture(name, number, right, None)),
        path(name, mistake): pictures.svg(shown._picture(name, number, wrong, right)),
    }


def main() -> None:
    """Writes all pictures."""
    for each in PAIRS:
        for file, text in pair(*each).items():
            file.write_text(text, encoding="utf-8")
            print(f"{file.relative_to(ROOT)}: {len(text.encode())} bytes")


if __name__ == "__main__":
    main()
