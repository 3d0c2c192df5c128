"""``export gradescope``: an autograder that gives submissions marks which were made before."""

from __future__ import annotations

import argparse

from harness.autograders import contents
from harness.errors import UsageError
from harness.files import write_bytes
from harness.lms import filling
from harness.marking.gradebook import SubmissionGrade
from harness.report import gradescope
from harness.report.grades_json import dump
from harness.submissions.platforms import GRADESCOPE_FOLDER
from harness.verbs import output
from harness.verbs.exporting import ClassMarks, list_reasons


def gradescope_marks(args: argparse.Namespace, known: ClassMarks) -> int:
    """Writes an autograder that gives every submission of Gradescope's export its mark."""
    for option in ("column", "points", "comments", "match", "header"):
        if getattr(args, option):
            raise UsageError(f"--{option} is about tables; Gradescope takes marks by submission")
    together: dict[str, list[SubmissionGrade]] = {}
    left: dict[str, str] = {}
    for mine, row in zip(known.mine, known.rows, strict=True):
        names = [name for name in (mine.submission, mine.id) if GRADESCOPE_FOLDER.fullmatch(name)]
        if not names:
            left[row.name] = "has no submission on Gradescope, as far as the roster says"
        elif row.provisional and not args.provisional:
            left[row.name] = filling.PROVISIONAL
        else:
            together.setdefault(names[0], []).append(row)
    documents: dict[str, str] = {}
    for name, rows in together.items():
        if len({row.mark for row in rows}) == 1:
            documents[name] = dump(gradescope.document(rows[0], known.gradebook))
        else:
            reason = f"the members of {name} have different marks, and Gradescope takes one"
            left |= dict.fromkeys((row.name for row in rows), reason)
    if not documents:
        raise UsageError(
            "no mark is that of a submission of Gradescope; `import` makes a roster of its export "
            "that says whose submission_… is whose"
        )
    write_bytes(args.to, contents.packed(contents.gradescope_marks(documents)))
    if args.json:
        output.emit(
            {"written": str(args.to), "submissions": sorted(documents), "not_written": left}
        )
    else:
        list_reasons("not in the archive", left)
        print(
            f"{args.to}: marks of {len(documents)} submissions; {known.stored.record.name}. Upload "
            "it as the autograder and regrade all submissions; it holds the marks of the class and "
            "runs nothing that was handed in"
        )
    return 1 if left else 0
