"""Archives of feedback pages, with the names by which a platform finds whose they are.

Canvas (*Upload Submissions*) reads two numbers in the name of a file, those of the student and of a
file that this student handed in, and shows the page under the name of that file: it takes one page
a student, and nothing for those who handed nothing in. Moodle (*Upload multiple feedback files in a
zip*) reads the participant's number in the name of a folder and takes all files in it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.lms.layout import Person
from harness.submissions.downloads import Download

_PAGE = "feedback.md"
#: The earliest time that an archive can name: equal pages give equal archives.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Pages:
    """What one student reads: the page, and the files that it shows or loads, by their names."""

    page: bytes
    beside: Mapping[str, bytes]


def canvas(download: Download, pages: Mapping[str, Pages]) -> dict[str, bytes]:
    """The files of an archive for Canvas.

    Args:
        pages: the name of a submission -> its pages.
    """
    files = {}
    for student, entries in download.students.items():
        if student not in pages:
            continue
        first = min(entries, key=lambda each: (len(each.upload), each.upload))
        late = "_LATE" if first.late else ""
        if first.who == "anon":
            prefix = f"{'LATE_' if first.late else ''}{student}"
        else:
            prefix = f"{first.who}{late}_{first.user}"
        files[f"{prefix}_{first.upload}_{_PAGE}"] = pages[student].page
    return files


def moodle(names: Mapping[str, Pages]) -> dict[str, bytes]:
    """The files of an archive for Moodle.

    Args:
        names: ``Jane Doe_123``, the name and the number of a participant -> the pages.
    """
    files = {}
    for name, pages in names.items():
        folder = f"{name}_assignsubmission_file_"
        files[f"{folder}/{_PAGE}"] = pages.page
        files |= {f"{folder}/{own}": content for own, content in pages.beside.items()}
    return files


def moodle_name(person: Person) -> str:
    """What Moodle calls somebody in the names of a download."""
    plain = "".join(" " if letter in '_/\\:*?"<>|' else letter for letter in person.name)
    return f"{' '.join(plain.split()) or 'Participant'}_{person.number}"


def archive(files: Mapping[str, bytes]) -> bytes:
    """A zip archive of some files; equal files give equal bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, _NO_TIME)
            member.external_attr = 0o644 << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(member, files[name])
    return stream.getvalue()


def pages_of(page: Path, beside: Sequence[Path]) -> Pages:
    """The pages of one submission as they lie in the results folder.

    Raises:
        OSError: one cannot be read.
    """
    return Pages(page.read_bytes(), {file.name: file.read_bytes() for file in beside})
