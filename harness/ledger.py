"""The ledger: every observation ever made, in one SQLite file with one writer.

An observation is committed as soon as its trial ends, so a grader that is killed goes on where it
was. The first observation of a trial stands; a repetition with other values is kept beside it and
is evidence that the trial does not reproduce.

Every record ends with a digest of itself, and of its arrays, since SQLite does not notice a byte
that changed on a disk. An observation that is not what was written is refused; of a document it is
remembered, and said where the document turns out to be unusable.

Format history: 1 kept statistics under the text ``check/name``; 2 kept them by check and name, as
JSON; 3 keeps their bytes beside the rest of the observation, and no scales of submissions.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from harness import levels, packing
from harness.errors import FairmarkError, InfrastructureError
from harness.mounts import refuse_network_file_system
from harness.records import Observation, canonical, sha256
from harness.results import make_folder
from harness.surrogates import as_name, as_text

FORMAT = 3
#: Trials whose observations are kept in memory: those of trusted programs are asked for again and
#: again, those of a submission for as long as it is being marked.
KEPT_TRIALS = 4096
#: How many trials one query reads: fewer than are kept, and than SQLite allows parameters.
_READ_AT_ONCE = 500
#: What to do about a failure of the database, by the name that SQLite gives it.
_REMEDIES = {
    "SQLITE_FULL": "no room is left on its disk: free some and run the same again; what was "
    "observed before is kept",
    "SQLITE_IOERR": "see that its disk has room and works, and run the same again; what was "
    "observed before is kept",
    "SQLITE_CORRUPT": "it is damaged: bring back a copy, or move it away and grade again; the "
    "programs are then run anew, and grades.csv stays until then",
    "SQLITE_READONLY": "see that you may write the file and its folder",
    "SQLITE_BUSY": "another process holds it: wait for that one and run the same again",
    "SQLITE_CANTOPEN": "see that it is there, and that you may read it",
    "SQLITE_NOTADB": "it is no ledger: bring back a copy, or move it away and grade again",
}
_META = "create table if not exists meta (name text primary key, value text not null)"
_SCHEMA = """
create table if not exists observations (
    trial text not null,
    digest text not null,
    run text not null,
    isolation text not null,
    record text not null,
    arrays blob not null,
    made real not null,
    primary key (trial, run)
);
create table if not exists documents (name text primary key, record text not null);
create table if not exists files (sha256 text primary key, content blob not null);
"""


def _file_at(path: Path) -> tuple[int, int] | None:
    """Which file lies at a path; None where there is none, or where that cannot be told."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@dataclass(frozen=True)
class _Repetition:
    """One stored observation of a trial; the record is parsed only where it is needed."""

    digest: str
    run: str
    isolation: str
    record: str
    arrays: bytes


class Ledger:
    """Observations by the digest of their trial, and the documents that say what was graded.

    With ``fresh`` only observations made by this run are seen; they are compared with the stored
    ones all the same. Observations of outcome ``infrastructure`` are never stored: the fault is
    ours, and the trial runs again.
    """

    def __init__(
        self,
        path: Path,
        run: str,
        *,
        fresh: bool = False,
        kept_trials: int = KEPT_TRIALS,
        read_only: bool = False,
    ) -> None:
        """Opens a ledger, which is made where there is none.

        Args:
            kept_trials: trials whose observations are kept in memory.
            read_only: for a disk that cannot be written: whoever may write the file must not do so
                meanwhile.

        Raises:
            InfrastructureError: it cannot be used, in words with path and remedy.
            UsageError: its folder cannot be made or written.
        """
        self._path = path
        self._run = run
        self._fresh = fresh
        self._kept_trials = kept_trials
        self._lock = threading.RLock()
        self._infrastructure: dict[str, Observation] = {}
        self._repetitions: OrderedDict[str, tuple[_Repetition, ...]] = OrderedDict()
        self._parsed: dict[tuple[str, str], Observation] = {}
        self._altered: list[str] = []
        refuse_network_file_system(path)
        try:
            if read_only:
                self._open_to_read()
            else:
                make_folder(path.parent)
                self._open()
            self._file = _file_at(path)
        except sqlite3.DatabaseError as error:
            raise self._unusable(error, "cannot be used as a ledger") from error

    def _open(self) -> None:
        self._db = sqlite3.connect(self._path, check_same_thread=False, timeout=30)
        with self._db:
            self._db.execute(_META)
            row = (str(FORMAT),)
            made = self._db.execute("insert or ignore into meta values ('format', ?)", row).rowcount
            if made:  # ledgers of earlier versions hold records without digests
                self._db.execute("insert into meta values ('digests', 'all')")
        self._check_format()
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=normal")
        self._db.executescript(_SCHEMA)

    def _open_to_read(self) -> None:
        """Opens the file as it is; what a run that was killed left beside it has to be merged.

        Raises:
            InfrastructureError: there is such a thing, which is done by writing.
        """
        unmerged = self._path.with_name(self._path.name + "-wal")
        if unmerged.exists() and unmerged.stat().st_size:
            raise InfrastructureError(
                f"{unmerged} holds what was written last, and cannot be merged on a disk that "
                "cannot be written; copy the folder to another disk and give that with --results"
            )
        uri = f"file:{quote(os.path.abspath(self._path))}?mode=ro&immutable=1"
        self._db = sqlite3.connect(uri, uri=True, check_same_thread=False)
        self._check_format()

    def _check_format(self) -> None:
        """Refuses a ledger of another format, before more is written into it."""
        (stored,) = self._db.execute("select value from meta where name = 'format'").fetchone()
        digests = self._db.execute("select value from meta where name = 'digests'").fetchone()
        self._digests_all = digests == ("all",)
        if stored != str(FORMAT):
            self._db.close()
            raise InfrastructureError(
                f"{self._path} has format {stored}, this version reads and writes {FORMAT}; to "
                "keep those marks use the version that made them, else move the file away or give "
                "another --results folder and grade again: the programs are then run anew"
            )

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        place: TracebackType | None,
    ) -> None:
        self.close()
        foreseen = not isinstance(error, Exception) or isinstance(error, FairmarkError | OSError)
        if self._altered and not foreseen:
            raise InfrastructureError(
                f"{self._path}: what is stored of {self._altered[0]} is not what was written, and "
                f"cannot be used ({type(error).__name__}: {error}); {_REMEDIES['SQLITE_CORRUPT']}"
            ) from error

    def close(self) -> None:
        """Closes the file; nothing is lost without it."""
        self._db.close()

    def _unusable(self, error: sqlite3.Error, what: str = "") -> InfrastructureError:
        """A failure of the database with file and remedy.

        Args:
            what: what cannot be done, where that is known.
        """
        name = str(getattr(error, "sqlite_errorname", ""))
        remedies = (text for known, text in _REMEDIES.items() if name.startswith(known))
        remedy = next(remedies, "bring back a copy, or move it away and grade again")
        said = f" {what} ({error})" if what else f": {error}"
        return InfrastructureError(f"{self._path}{said}; {remedy}")

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever stored in it."""
        tables = ("observations", "documents", "files")
        return not any(self._rows(f"select 1 from {table} limit 1") for table in tables)

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._db.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    def _write(self, *statements: tuple[str, Iterable[Sequence[object]]]) -> None:
        """Runs statements, each for its rows, all in one step.

        Raises:
            InfrastructureError: they cannot be written, or nobody would find what is.
        """
        with self._lock:
            if _file_at(self._path) != self._file:  # SQLite would write to it all the same
                raise InfrastructureError(
                    f"{self._path} was moved, removed or replaced while this run was writing to "
                    "it; put it back, or grade again: nothing of this run is reported"
                )
            try:
                with self._db:
                    for statement, rows in statements:
                        self._db.executemany(statement, rows)
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    @contextmanager
    def _readable(self, what: str) -> Iterator[None]:
        """Names what could not be understood of the stored records.

        Raises:
            InfrastructureError: a record is not what this version writes.
        """
        try:
            yield
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InfrastructureError(
                f"{self._path}: what is stored of {what} cannot be read "
                f"({type(error).__name__}: {error}); {_REMEDIES['SQLITE_CORRUPT']}"
            ) from error

    def get(self, trial: str, weakest: str | None = None) -> Observation | None:
        """The observation of a trial, or None where it has to be made.

        Args:
            trial: the trial's digest.
            weakest: an isolation level; what was observed under a weaker one is not seen.
        """
        with self._lock:
            if trial in self._infrastructure:
                return self._infrastructure[trial]
            for repetition in self._of(trial):
                visible = not self._fresh or repetition.run == self._run
                if visible and _isolated(repetition.isolation, weakest):
                    return self._observation(trial, repetition)
        return None

    def put(self, observation: Observation) -> None:
        """Stores an observation for good."""
        trial = observation.trial.digest
        with self._lock:
            if observation.outcome == "infrastructure":
                self._infrastructure[trial] = observation
                return
            self._infrastructure.pop(trial, None)
            self._forget(trial)
            isolation = str(observation.circumstances.get("isolation", "L0"))
            layout, arrays = packing.pack(observation.statistics)
            record = _sealed(canonical(_plain({**observation.head(), "arrays": layout})), arrays)
            row = (trial, observation.digest, self._run, isolation, record, arrays, time.time())
            self._write(("insert or ignore into observations values (?, ?, ?, ?, ?, ?, ?)", [row]))

    def digests(self, trial: str) -> tuple[str, ...]:
        """The digests of all observations of a trial: two that differ and it does not reproduce."""
        with self._lock:
            return tuple(repetition.digest for repetition in self._of(trial))

    def read_ahead(self, trials: Sequence[str]) -> None:
        """Reads what is stored of some trials at once; one by one they take twice the time."""
        with self._lock:
            unread = [trial for trial in trials if trial not in self._repetitions]
            for start in range(0, len(unread), _READ_AT_ONCE):
                self._read(unread[start : start + _READ_AT_ONCE])

    def _of(self, trial: str) -> tuple[_Repetition, ...]:
        """The stored observations of a trial, oldest first."""
        if trial in self._repetitions:
            self._repetitions.move_to_end(trial)
        else:
            self._read([trial])
        return self._repetitions.get(trial, ())

    def _read(self, trials: Sequence[str]) -> None:
        """Reads the stored observations of trials; what has none is not remembered."""
        places = ", ".join("?" * len(trials))
        rows = self._rows(
            "select trial, rowid, digest, run, isolation, record, arrays from observations "
            f"where trial in ({places})",
            trials,
        )
        # sorted here, since SQLite would copy all records and arrays in order to sort them; by the
        # order in which they were stored, since the clock of a machine may be set back
        rows.sort(key=lambda row: row[:2])
        for trial, stored in groupby(rows, key=lambda row: row[0]):
            self._repetitions[trial] = tuple(_Repetition(*row[2:]) for row in stored)
        while len(self._repetitions) > self._kept_trials:
            self._forget(next(iter(self._repetitions)))

    def _observation(self, trial: str, repetition: _Repetition) -> Observation:
        place = (trial, repetition.run)
        if place not in self._parsed:
            with self._readable(f"trial {trial}"):
                record = json.loads(self._text(repetition.record, repetition.arrays))
                statistics = packing.unpack(record["arrays"], repetition.arrays)
                self._parsed[place] = Observation.of_head(record, statistics)
        return self._parsed[place]

    def _text(self, stored: str, arrays: bytes) -> str:
        """The record of an observation.

        Raises:
            ValueError: it, or its arrays, are not what was written.
        """
        text, is_whole = _unsealed(stored, arrays)
        if not is_whole and (is_whole is False or self._digests_all):
            raise ValueError("it is not what was written")
        return text

    def _document(self, name: str, stored: str) -> dict[str, Any]:
        """A document; one that is not what was written is remembered."""
        text, is_whole = _unsealed(stored)
        if not is_whole and (is_whole is False or self._digests_all):
            self._altered.append(f"the document {name}")
        return dict(json.loads(text))

    def _forget(self, trial: str) -> None:
        for repetition in self._repetitions.pop(trial, ()):
            self._parsed.pop((trial, repetition.run), None)

    def trials(self) -> Iterable[str]:
        """The digest of every trial that has an observation."""
        return [row[0] for row in self._rows("select distinct trial from observations")]

    def put_document(self, name: str, record: Mapping[str, Any]) -> None:
        """Stores or replaces a JSON document, such as the list of what was graded."""
        row = (as_text(name), _sealed(canonical(dict(record))))
        self._write(("insert or replace into documents values (?, ?)", [row]))

    def documents(self, prefix: str) -> dict[str, dict[str, Any]]:
        """All documents whose names begin so, by their names, in order."""
        start = as_text(prefix)
        rows = self._rows(
            "select name, record from documents where substr(name, 1, ?) = ? order by name",
            (len(start), start),
        )
        with self._readable(f"the documents {prefix}…"):
            names = {as_name(text): record for text, record in rows}
            return {name: self._document(name, record) for name, record in names.items()}

    def document_names(self, prefix: str) -> list[str]:
        """The names of all documents that begin so, in order."""
        start = as_text(prefix)
        rows = self._rows(
            "select name from documents where substr(name, 1, ?) = ? order by name",
            (len(start), start),
        )
        return [as_name(text) for (text,) in rows]

    def put_documents(
        self, records: Mapping[str, Mapping[str, Any]], remove: Iterable[str] = ()
    ) -> None:
        """Stores or replaces documents and removes others, all in one step."""
        rows = [
            (as_text(name), _sealed(canonical(dict(record)))) for name, record in records.items()
        ]
        self._write(
            ("delete from documents where name = ?", [(as_text(name),) for name in remove]),
            ("insert or replace into documents values (?, ?)", rows),
        )

    def put_files(self, contents: Mapping[str, bytes]) -> None:
        """Stores submitted files under their SHA-256."""
        self._write(("insert or ignore into files values (?, ?)", contents.items()))

    def file(self, digest: str) -> bytes:
        """A stored file; raises KeyError.

        Raises:
            InfrastructureError: it is not what was written.
        """
        rows = self._rows("select content from files where sha256 = ?", (digest,))
        if not rows:
            raise KeyError(digest)
        content = bytes(rows[0][0])
        with self._readable(f"the file {digest}"):
            if sha256(content) != digest:
                raise ValueError("it is not what was written")
        return content

    def document(self, name: str) -> dict[str, Any] | None:
        """A stored document, or None."""
        rows = self._rows("select record from documents where name = ?", (as_text(name),))
        with self._readable(f"the document {name}"):
            return self._document(name, rows[0][0]) if rows else None


def _sealed(text: str, arrays: bytes = b"") -> str:
    """A record with a digest of it and of its arrays in a line of its own."""
    return f"{text}\n{_digest(text, arrays)}"


def _unsealed(stored: str, arrays: bytes = b"") -> tuple[str, bool | None]:
    """A record, and whether it is what was written; None where it has no digest."""
    text, line_end, digest = stored.partition("\n")
    return text, digest == _digest(text, arrays) if line_end else None


def _digest(text: str, arrays: bytes) -> str:
    """The SHA-256 of a record and its arrays, which are not copied for it: they are large."""
    whole = hashlib.sha256(text.encode())
    whole.update(arrays)
    return whole.hexdigest()


def _isolated(level: str, weakest: str | None) -> bool:
    """Whether a level is that strong or stronger."""
    return weakest is None or levels.rank(level) >= levels.rank(weakest)


def _plain(value: Any) -> Any:
    """JSON without NaN: circumstances are for people, so an odd number becomes its name."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
