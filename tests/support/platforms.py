"""Tables of learning platforms, laid out as their exports are, of people that nobody is."""

from __future__ import annotations

import zipfile
from pathlib import Path

#: Canvas's *Export*: a row of posting policies, points possible, read-only columns, a column of the
#: teacher's own, and the test student.
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Notes,Squares (4711),Other (4712),"
    "Homework Current Score,Current Score,Final Score\n"
    ",,,,,,Manual Posting,,,,\n"
    "    Points Possible,,,,,,7.00,10.00,(read only),(read only),(read only)\n"
    '"Doe, Jane",12345,00123,jdoe,Course 1,"likes ""x, y""",,8.50,85.00,85.00,42.50\n'
    '"Röe-Smith, Rïchard",54321,00124,rroe,"Course 1 and Course 2",,3.00,N/A,50.00,50.00,25.00\n'
    '"Poe, Ann",777,00125,apoe,Course 1,,EX,1.00,,,\n'
    '"Noe, Ann",778,00126,anoe,Course 1,,,,,,\n'
    '"Student, Test",999,,5f1c,Course 1,,,,,,\n'
)

_MOODLE_HEAD = (
    "Identifier,Full name,ID number,Email address,Status,Grade,Maximum grade,"
    "Grade can be changed,Last modified (submission),Last modified (grade),Feedback comments"
)
#: Moodle's *Download grading worksheet*: a byte-order mark, CRLF between rows, LF inside a comment.
MOODLE = "\ufeff" + "\r\n".join(
    [
        _MOODLE_HEAD,
        "Participant 901,Jane Doe,00123,Jane@example.org,Submitted for grading - ,,7.00,Yes,"
        '"Monday, 19 October 2026, 11:50 PM",-,',
        "Participant 902,Richard Roe,00124,roe@example.org,Submitted for grading - 2 days late,"
        '3.00,7.00,Yes,"Wednesday, 21 October 2026, 12:00 PM",'
        '"Thursday, 22 October 2026, 9:00 AM","Hello,\nsee ""x""."',
        "Participant 903,Ann Poe,00125,poe@example.org,No submission,,7.00,No,-,-,",
        "Participant 904,Ann Noe,00126,noe@example.org,Draft (not submitted),,7.00,Yes,"
        '"Sunday, 18 October 2026, 12:05 AM",-,',
        "",
    ]
)

MOODLE_GERMAN = (
    "ID;Vollständiger Name;E-Mail-Adresse;Status;Bewertung;Bestwertung;"
    "Zuletzt geändert (Abgabe);Zuletzt geändert (Bewertung);Feedback als Kommentar\n"
    "Teilnehmer/in901;Jane Doe;jane@example.org;Zur Bewertung abgegeben;;7,00;"
    "Montag, 19. Oktober 2026, 23:50;-;\n"
)
GERMAN = (
    "Identifier=ID",
    "Full name=Vollständiger Name",
    "Email address=E-Mail-Adresse",
    "Grade=Bewertung",
    "Maximum grade=Bestwertung",
    "Last modified (submission)=Zuletzt geändert (Abgabe)",
    "Last modified (grade)=Zuletzt geändert (Bewertung)",
    "Feedback comments=Feedback als Kommentar",
)

#: Gradescope's *Export Submissions*.
GRADESCOPE = """---
submission_12345:
  :submitters:
  - :name: Jane Doe
    :sid: '00123'
    :email: jane@example.org
  :created_at: 2026-10-19 23:50:00.250000000 +02:00
  :score: 3.0
  :status: processed
  :history:
  - :id: 12000
    :created_at: 2026-10-18 12:00:00.000000000 Z
submission_54321:
  :submitters:
  - :name: Richard Roe
    :sid: '00124'
    :email: roe@example.org
  - :name: Ann Poe
    :sid: '00125'
    :email: poe@example.org
  :created_at: !ruby/object:ActiveSupport::TimeWithZone
    utc: 2026-10-21 10:00:00.000000000 Z
  :history: []
"""

#: Gradescope's *Download Grades* of the same.
GRADESCOPE_SCORES = (
    "First Name,Last Name,SID,Email,Sections,Total Score,Max Points,Status,Submission ID,"
    "Submission Time,Lateness (H:M:S),View Count,Submission Count,1: Square (7.0 pts)\n"
    "Jane,Doe,00123,jane@example.org,,3.0,7.0,Graded,12345,2026-10-19 23:50:00 +0200,00:00:00,0,2,"
    "3.0\n"
    "Richard,Roe,00124,roe@example.org,,,7.0,Ungraded,54321,2026-10-21 03:00:00 -0700,09:59:00,0,1,"
    "\n"
    "Ann,Poe,00125,poe@example.org,,,7.0,Ungraded,54321,2026-10-21 03:00:00 -0700,36:01:00,0,1,\n"
    "Ann,Noe,00126,noe@example.org,,,7.0,Missing,,,,0,0,\n"
)

#: What Canvas's API lists of an assignment's submissions.
CANVAS_API = """[
  {"user_id": 12345, "submitted_at": "2026-10-19T21:50:30Z", "attempt": 2, "late": false,
   "submission_history": [
     {"user_id": 12345, "submitted_at": "2026-10-18T12:00:00Z", "attempt": 1},
     {"user_id": 12345, "submitted_at": "2026-10-19T21:50:30Z", "attempt": 2}]},
  {"user_id": 54321, "submitted_at": "2026-10-21T10:00:00Z", "attempt": 1, "late": true},
  {"user_id": 777, "submitted_at": null, "attempt": null}
]"""


def canvas_download(folder: Path, content: bytes = b"x = 1\n") -> Path:
    """Canvas's *Download Submissions*, unpacked."""
    return _laid(
        folder,
        {
            "doejane_12345_678910_square.py": content,
            "doejane_12345_678905_notes-1.txt": b"notes",
            "röesmithrïchard_LATE_54321_678920_square-2.py": content,
        },
    )


def moodle_download(folder: Path, content: bytes = b"x = 1\n") -> Path:
    """Moodle's *Download all submissions*, unpacked."""
    return _laid(
        folder,
        {
            "Jane Doe_901_assignsubmission_file_/square.py": content,
            "Richard Roe_902_assignsubmission_file/square.py": content,
        },
    )


def gradescope_download(folder: Path, content: bytes = b"x = 1\n") -> Path:
    """Gradescope's *Export Submissions*, unpacked."""
    return _laid(
        folder / "assignment_1_export",
        {
            "submission_metadata.yml": GRADESCOPE.encode(),
            "submission_12345/square.py": content,
            "submission_54321/square.py": content,
        },
    )


def packed(folder: Path, target: Path) -> Path:
    """An archive of what lies in a folder."""
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return target


def _laid(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
