"""What runs on Gradescope: ``python -m harness.autograders.on_gradescope FOLDER ASSIGNMENT``.

FOLDER is laid out as Gradescope lays out /autograder: ``source``, ``submission``,
``submission_metadata.json`` and ``results``. results.json is there from the first second and grows
with every check that is decided, so a run that Gradescope ends keeps what it has.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.autograders import running, sealed_key
from harness.errors import UsageError
from harness.files import write_text
from harness.report.grades_json import dump

_NOT_YET = "Marking has begun; what is decided so far stands here."
_STOPPED = "Marking ended before all was decided: what is missing counts 0 here and is no mark."
_BROKE = (
    "The autograder broke, through no fault of the submission: this is no mark. Your course finds "
    "the reason in the autograder's output."
)


def main(words: list[str]) -> int:
    """Marks the submission of a folder; returns the exit code, 0 where there are marks."""
    folder, assignment = Path(words[0]), words[1]
    found = folder / "results" / "results.json"
    found.parent.mkdir(exist_ok=True)
    _write(found, {"score": 0.0, "output": _NOT_YET, "stdout_visibility": "hidden"})
    with tempfile.TemporaryDirectory() as made:
        results = Path(made, "results")
        own = results / "submissions" / "submission" / "gradescope.json"
        options = ["--assignment", assignment, *_times(folder, Path(made, "times.csv"))]

        def show() -> None:
            if own.is_file():
                _write(found, _partial(json.loads(own.read_text(encoding="utf-8"))))

        submission = str(folder / "submission")
        try:
            phase = _phase(folder, Path(made, "key"))
        except UsageError as error:
            print(error)
            _write(found, {"score": 0.0, "output": _BROKE, "stdout_visibility": "hidden"})
            return 1
        ended = running.grade(folder / "source", [submission, *options], results, show, phase)
        print(ended.said)  # for the course alone
        if not ended.delivered or not own.is_file():
            document = json.loads(found.read_text(encoding="utf-8"))
            _write(found, document | {"output": _BROKE if not own.is_file() else _STOPPED})
            return 1
        document = json.loads(own.read_text(encoding="utf-8"))
        _write(found, document | {"execution_time": round(ended.elapsed_s, 1)})
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


def _times(folder: Path, table: Path) -> list[str]:
    """When the submission came in, from Gradescope's metadata; attempts are counted by Gradescope.

    Without metadata, as when an autograder is tried, nothing is late.
    """
    path = folder / "submission_metadata.json"
    if not path.is_file():
        return []
    created = json.loads(path.read_text(encoding="utf-8"))["created_at"]
    with table.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("id", "time"), ("submission", created)])
    return ["--times", str(table)]


def _partial(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"output": f"{_NOT_YET}\n{document['output']}"}


def _write(path: Path, document: dict[str, Any]) -> None:
    write_text(path, dump(document))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
