"""The verbs of the command line, by name, each with a line on what it does.

A verb is a module of this package with ``add_arguments(parser)`` and ``run(args) -> exit code``;
:mod:`options`, :mod:`output` and :mod:`stored` hold what several verbs share.
"""

from collections.abc import Mapping
from types import MappingProxyType

VERBS: Mapping[str, str] = MappingProxyType(
    {
        "list": "what can be graded",
        "assignments": "the assignments with their dates and rules",
        "example": "replay the worked example of a statement with a file of your own",
        "grade": "mark submissions (default: all of submissions/)",
        "score": "compute marks again from stored observations, running nothing",
        "report": "write the reports of the last run again",
        "summary": "a class at a glance: every check with counts, hints, what needs a look, time",
        "explain": "all there is about one mark: evidence, error rates, how to repeat it",
        "handout": "write what students get of an assignment: no reference, no mistake, no key",
        "new": "write the files of a new task, from which its author goes on",
        "statement": "write what a statement shows of its task's data",
        "schema": "write JSON Schemas of the files that authors write, for editors",
        "verify": "prove that checks pass honest work and catch every known mistake",
        "calibrate": "measure the error rates that the specs declare",
        "targets": "list or make stored reference distributions",
        "override": "give points beside the computed ones, with a reason, or withdraw them",
        "term": "the marks of all assignments of a term together, the lowest dropped",
        "import": "the roster and the times of a download of Canvas, Moodle or Gradescope",
        "export": "marks for Canvas, Moodle or Gradescope, and feedback for upload there",
        "gradescope": "write the autograder of an assignment for Gradescope",
        "classroom50": "write the autograder of an assignment for Classroom 50",
        "replay": "score stored observations again and compare bit for bit",
        "bench": "what grading costs, as ratios within one run",
        "redteam": "run the known attacks and show what every level of isolation stops",
        "doctor": "what this machine offers, and which isolation is in force",
    }
)
