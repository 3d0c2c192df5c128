"""What runs on Gradescope: ``python -m harness.autograders.on_gradescope FOLDER ASSIGNMENT``.

FOLDER is laid out as Gradescope lays out /autograder: ``source``, ``submission``,
``submission_metadata.json`` and ``results``. results.json is there from the first second and grows
with every check that is decided, so a run that Gradescope ends keeps what it has.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.autograders import running, sealed_key
from harness.classroom import extensions, gradescope
from harness.errors import UsageError
from harness.files import csv_text, write_text
from harness.report.grades_json import dump
from harness.spec.catalogue import load_assignment

#: The name of the folder that Gradescope puts a submission into, and of the row about it.
SUBMISSION = "submission"

_NOT_YET = "Marking has begun; what is decided so far stands here."
_STOPPED = "Marking ended before all was decided: what is missing counts 0 here and is no mark."
_BROKE = (
    "The autograder broke, through no fault of the submission: this is no mark. Your course finds "
    "the reason in the autograder's output."
)


def main(words: list[str]) -> int:
    """Marks the submission of a folder; returns the exit code, 0 where there are marks."""
    folder, assignment = Path(words[0]), words[1]
    results_file = folder / "results" / "results.json"
    results_file.parent.mkdir(exist_ok=True)
    _write(results_file, {"score": 0.0, "output": _NOT_YET, "stdout_visibility": "hidden"})
    with tempfile.TemporaryDirectory() as made:
        results = Path(made, "results")
        own = results / "submissions" / SUBMISSION / "gradescope.json"

        def show() -> None:
            if own.is_file():
                _write(results_file, _partial(json.loads(own.read_text(encoding="utf-8"))))

        submission = str(folder / SUBMISSION)
        try:
            phase = _phase(folder, Path(made, "key"))
            options = ["--assignment", assignment, *_times(folder, assignment, Path(made))]
        except (UsageError, KeyError, ValueError) as error:
            print(f"{type(error).__name__}: {error}")
            _write(results_file, {"score": 0.0, "output": _BROKE, "stdout_visibility": "hidden"})
            return 1
        ended = running.grade(folder / "source", [submission, *options], results, show, phase)
        print(ended.stderr)  # for the course alone
        if not ended.delivered or not own.is_file():
            document = json.loads(results_file.read_text(encoding="utf-8"))
            _write(results_file, document | {"output": _BROKE if not own.is_file() else _STOPPED})
            return 1
        document = json.loads(own.read_text(encoding="utf-8"))
        _write(results_file, document | {"execution_time": round(ended.elapsed_s, 1)})
    return 0


def _phase(folder: Path, key_file: Path) -> Sequence[str]:
    """Under which key is marked: the course's where the archive holds one and it opens.

    Raises:
        UsageError: it does not open with the password that is there.
    """
    box = folder / "source" / sealed_key.FILE
    password = sealed_key.password_on_platform(folder)
    if not box.is_file():
        return running.PUBLIC
    if not password:
        print(f"no password for {sealed_key.FILE}: marked under the public key")
        return running.PUBLIC
    key = sealed_key.opened(box.read_bytes(), password)
    with open(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(key.secret.hex() + "\n")
    # below L2 submitted code could read the key
    return ("--phase", "feedback", "--key-file", str(key_file), "--require-isolation", "L2")


def _times(folder: Path, name: str, made: Path) -> list[str]:
    """When the submission came in and whether it had longer, from Gradescope's metadata.

    Attempts are counted by Gradescope. Nothing is late without metadata or before the release, as
    when an autograder is tried; an extension that cannot be read is said and is none.
    """
    path = folder / "submission_metadata.json"
    if not path.is_file():
        return []
    record = json.loads(path.read_text(encoding="utf-8"))
    created = str(record["created_at"])
    tasks = folder / "source" / "tasks"
    declared = load_assignment(tasks, name, [each.name for each in tasks.iterdir()])
    if declared.release and gradescope.moment(created, str(path)) < declared.release:
        print(f"handed in at {created}, before the release: tried out, and not late")
        return []
    words = ["--times", _table(made / "times.csv", ("id", "time"), (SUBMISSION, created))]
    try:
        row = extensions.on_gradescope(gradescope.granted(record, str(path)), declared, SUBMISSION)
    except UsageError as error:
        print(f"no extension could be read: {error}")
        return words
    if row is not None:
        words += ["--extensions", _table(made / "extensions.csv", extensions.COLUMNS, row)]
    return words


def _table(path: Path, columns: Sequence[str], row: Sequence[str]) -> str:
    """Writes a table of one row; returns its path."""
    write_text(path, csv_text(columns, [row]))
    return str(path)


def _partial(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"output": f"{_NOT_YET}\n{document['output']}"}


def _write(path: Path, document: dict[str, Any]) -> None:
    write_text(path, dump(document))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
