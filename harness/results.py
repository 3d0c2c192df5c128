"""The results folder: what lies where, who may write into it, and what is refused in it.

::

    results/
    ├── ledger.sqlite            every observation (SQLite keeps -wal, -shm and -journal beside it)
    ├── lock                     held by the one run that writes
    ├── leaderboard.csv, gradebook.csv, grades.csv, grades.json, junit.xml   marks of the class
    ├── term.csv                what ``term`` wrote: the marks of all assignments together
    ├── keys/feedback.key        the key of the feedback phase, made on first use
    ├── submissions/<folder>/    feedback.md, gradescope.json, picture-*.svg, example-*.npz of one
    ├── verify/                  ledger and lock of ``verify``
    ├── targets/                 what ``targets`` trained
    ├── redteam/redteam.json     the last run of ``redteam``
    └── figures/                 figures of the project itself, the only folder that git tracks

Everything that is named after a submission lies below ``submissions``, so no submission can have a
name that meets one of our files. A place of ours that holds something else (a link, a folder where
a file belongs) is refused before anything is written. The folder itself may be a symbolic link to a
folder: whoever runs the harness chose it, as they may have chosen a larger disk; no link below it
is followed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, get_args

from harness.errors import UsageError
from harness.files import read_csv

#: A file of ``figures/``: what ``verify``, ``calibrate`` and ``bench`` write.
Figure = Literal[
    "bench.json",
    "calibration.csv",
    "calibration.jsonl",
    "calibration.md",
    "keys.csv",
    "mutation.csv",
    "detectability-pilots.csv",
    "detectability-seeds.jsonl",
    "detectability.csv",
    "operating.csv",
    "side-by-side.json",
    "side-by-side.md",
    "survivors.csv",
    "verification.csv",
    "verification.md",
    "verified.csv",
]
FIGURES: tuple[Figure, ...] = get_args(Figure)

_SLUG_LIMIT = 48
_DIGEST_DIGITS = 8
_ENDS_LIKE_A_DIGEST = re.compile(rf"-[0-9a-f]{{{_DIGEST_DIGITS},64}}$")


@dataclass(frozen=True)
class SubmissionReports:
    """The files of one submission below ``submissions/``."""

    folder: Path

    @property
    def feedback(self) -> Path:
        """What the student reads, as Markdown."""
        return self.folder / "feedback.md"

    @property
    def gradescope(self) -> Path:
        """The same for Gradescope."""
        return self.folder / "gradescope.json"

    @property
    def examples(self) -> list[Path]:
        """The files of numbers that are there, which its examples load."""
        return sorted(self.folder.glob("example-*.npz"))

    @property
    def pictures(self) -> list[Path]:
        """The pictures that are there, which the page of feedback shows."""
        return sorted(self.folder.glob("picture-*.svg"))


@dataclass(frozen=True)
class Results:
    """A results folder.

    Attributes:
        root: the folder as it was given.
        parent: the results folder that this one lies in; None for the one that was given.
    """

    root: Path
    parent: Results | None = None

    @property
    def ledger(self) -> Path:
        """Every observation."""
        return self.root / "ledger.sqlite"

    @property
    def lock(self) -> Path:
        """What the one writer holds locked."""
        return self.root / "lock"

    @property
    def leaderboard(self) -> Path:
        """One row a submission."""
        return self.root / "leaderboard.csv"

    @property
    def gradebook(self) -> Path:
        """One row a student, by id: not for publication."""
        return self.root / "gradebook.csv"

    @property
    def grades(self) -> Path:
        """One row a submission and check."""
        return self.root / "grades.csv"

    @property
    def grades_json(self) -> Path:
        """The gradebook as JSON."""
        return self.root / "grades.json"

    @property
    def junit(self) -> Path:
        """The gradebook for continuous integration."""
        return self.root / "junit.xml"

    @property
    def marks(self) -> tuple[Path, ...]:
        """The files that hold the marks of the whole class."""
        return (self.leaderboard, self.gradebook, self.grades, self.grades_json, self.junit)

    @property
    def term(self) -> Path:
        """The marks of a term, one row a student, by id: not for publication."""
        return self.root / "term.csv"

    @property
    def feedback_key(self) -> Path:
        """The key of the feedback phase."""
        return self.root / "keys" / "feedback.key"

    @property
    def verify(self) -> Results:
        """Where ``verify`` keeps its ledger and its lock."""
        return Results(self.root / "verify", parent=self)

    @property
    def targets(self) -> Path:
        """Below it ``targets`` leaves what it trained, to be reviewed."""
        return self.root / "targets"

    @property
    def redteam(self) -> Path:
        """The last run of ``redteam``."""
        return self.root / "redteam" / "redteam.json"

    @property
    def figures(self) -> Path:
        """The folder of the figures that the project commits."""
        return self.root / "figures"

    def figure(self, name: Figure) -> Path:
        """One file of :attr:`figures`."""
        return self.figures / name

    def other_rows(
        self, name: Figure, columns: Sequence[str], new: Container[str], tasks: Path
    ) -> list[dict[str, str]]:
        """The rows of a figure about tasks that a run leaves out and the folder ``tasks`` has."""
        return [
            row
            for row in read_csv(self.figure(name), columns)
            if row["task"] not in new and (tasks / row["task"] / "task.yaml").is_file()
        ]

    def submissions(self, names: Iterable[str]) -> dict[str, SubmissionReports]:
        """Where the reports of some submissions go, by their names; no two share a folder.

        Names that differ only in case get the whole digest, since some file systems would merge
        their folders.
        """
        plain = {name: folder_name(name) for name in names}
        used = Counter(folder.lower() for folder in plain.values())
        return {
            name: SubmissionReports(
                self._submissions
                / (folder if used[folder.lower()] == 1 else f"{_slug(name)}-{_digest(name)}")
            )
            for name, folder in plain.items()
        }

    def is_there(self) -> bool:
        """Whether the folder is one of results: a ledger lies in it, and no folder of others.

        Raises:
            OSError: it cannot be listed.
        """
        ours = {folder.name for folder in self._folders()}
        return os.path.isfile(self.ledger) and all(
            each.name in ours or not each.is_dir() for each in self.root.iterdir()
        )

    def make(self, names: Iterable[str] = ()) -> None:
        """Makes the folder where it is missing; refuses it if anything of ours cannot be used.

        Args:
            names: the submissions whose reports will be written.

        Raises:
            UsageError: the folder cannot be made or written, or a place of ours, or one of these
                submissions', holds a link or something of another type.
        """
        if self.parent is not None:
            self.parent.make()
        make_folder(self.root)
        self.check()
        for reports in self.submissions(names).values():
            _require(reports.folder, stat.S_IFDIR)
            _require(reports.feedback, stat.S_IFREG)
            _require(reports.gradescope, stat.S_IFREG)

    def check(self, *, reads: bool = False) -> None:
        """Refuses the folder if a place of ours holds a link or something of another type.

        Args:
            reads: whether nothing is going to be written.

        Raises:
            UsageError: one does, or is a folder that cannot be written though it has to be.
        """
        for folder in self._folders():
            _require(folder, stat.S_IFDIR, reads=reads)
        for file in self._files():
            _require(file, stat.S_IFREG)

    def remove_reports(self, names: Iterable[str], others: Iterable[str]) -> None:
        """Removes the reports of some submissions, unless they are those of another one.

        Args:
            others: the submissions whose reports stay.
        """
        kept = {reports.folder for reports in self.submissions(others).values()}
        for reports in self.submissions(names).values():
            if reports.folder not in kept:
                reports.feedback.unlink(missing_ok=True)
                reports.gradescope.unlink(missing_ok=True)
                for file in (*reports.examples, *reports.pictures):
                    file.unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # somebody may have put a file of theirs there
                    reports.folder.rmdir()

    def make_figures(self) -> None:
        """Makes :attr:`figures` where it is missing.

        Raises:
            UsageError: as :meth:`make`.
        """
        self.make()
        self.figures.mkdir(exist_ok=True)

    @contextlib.contextmanager
    def writer(self) -> Iterator[None]:
        """Holds the folder for one writer; a second run is refused, never mixed in.

        Raises:
            UsageError: another process holds it, or :meth:`make` refuses it.
        """
        self.make()
        with _opened(self.lock) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(
                    f"another run is grading into {self.root}; wait for it or give another "
                    "--results"
                ) from None
            except OSError as error:
                raise UsageError(
                    f"{self.lock} cannot be locked ({error.strerror}); give a local folder with "
                    "--results"
                ) from error
            yield

    @property
    def _submissions(self) -> Path:
        return self.root / "submissions"

    def _folders(self) -> tuple[Path, ...]:
        return (
            self.feedback_key.parent,
            self._submissions,
            self.verify.root,
            self.targets,
            self.redteam.parent,
            self.figures,
        )

    def _files(self) -> Iterator[Path]:
        for suffix in ("", "-wal", "-shm", "-journal"):
            yield self.ledger.with_name(self.ledger.name + suffix)
        yield from (self.lock, *self.marks, self.term, self.feedback_key, self.redteam)
        yield from (self.figure(name) for name in FIGURES)


def make_folder(path: Path) -> None:
    """Makes a folder and those above it; one that is there already must be writable.

    Raises:
        UsageError: something else lies there, or it cannot be made or written.
    """
    if path.is_symlink() and not path.exists():
        raise UsageError(
            f"{path} is a symbolic link to {os.readlink(path)}, which does not exist; make that "
            "folder, or give another one with --results"
        )
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise UsageError(
            f"{path} is {_type_in_words(path.stat().st_mode)}, where a folder belongs; give "
            "another one with --results"
        ) from None
    except OSError as error:
        raise UsageError(
            f"{path} cannot be made ({error.strerror}); give another folder with --results"
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise UsageError(
            f"{path} cannot be written; change its mode or give another folder with --results"
        )


def folder_name(name: str) -> str:
    """A folder name for a submission: ASCII letters, digits, ``_`` and ``-``; never a path.

    A name that is already one stays as it is. Any other is turned into one and gets eight
    hexadecimal digits of the name's SHA-256, so that different names keep different folders. A
    name that itself ends in such digits gets them too, so that it cannot take another's folder.
    """
    slug = _slug(name)
    if slug == name and not _ENDS_LIKE_A_DIGEST.search(name):
        return name
    return f"{slug}-{_digest(name)[:_DIGEST_DIGITS]}"


def _slug(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    slug = re.sub(r"[^A-Za-z0-9_]+", "-", ascii_name).strip("-")[:_SLUG_LIMIT].strip("-")
    return slug or "submission"


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _require(path: Path, kind: int, *, reads: bool = False) -> None:
    """Refuses what lies at a place of ours unless it is of that type, or nothing.

    Raises:
        UsageError: it is a link or of another type, or a folder that cannot be written.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(
            f"{path} cannot be looked at ({error.strerror}); change the mode of its folder or give "
            "another folder with --results"
        ) from error
    if stat.S_ISLNK(mode):
        raise UsageError(
            f"{path} is a symbolic link to {os.readlink(path)}, and nothing is written through "
            "one; remove it or give another folder with --results"
        )
    if stat.S_IFMT(mode) != kind:
        raise UsageError(
            f"{path} is {_type_in_words(mode)}, where {_type_in_words(kind)} belongs; move it away "
            "or give another folder with --results"
        )
    if kind == stat.S_IFDIR and not reads:
        make_folder(path)


def _opened(lock: Path) -> BinaryIO:
    """The lock file, made where it is missing; a link is not followed."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        return os.fdopen(descriptor, "r+b")
    except OSError as error:
        raise UsageError(
            f"{lock} cannot be opened ({error.strerror}); change its mode or give another folder "
            "with --results"
        ) from error


def _type_in_words(mode: int) -> str:
    words = {
        stat.S_IFDIR: "a folder",
        stat.S_IFREG: "a file",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
    }
    return words.get(stat.S_IFMT(mode), "a device")
