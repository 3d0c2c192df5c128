"""The ledger: every observation ever made, in one SQLite file with one writer.

An observation is committed as soon as its trial ends, so a grader that is killed goes on where it
was. The first observation under a key stands; a repetition with other values is kept beside it
and is evidence that the trial is not reproducible.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness import levels
from harness.errors import InfrastructureError
from harness.records import Observation, canonical, sha256

FORMAT = 1
_NETWORK_FILE_SYSTEMS = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "fuse.sshfs",
    "9p",
    "afs",
    "lustre",
}
_SCHEMA = """
create table if not exists meta (name text primary key, value text not null);
create table if not exists observations (
    key text not null,
    digest text not null,
    run text not null,
    record text not null,
    made real not null,
    primary key (key, run)
);
create table if not exists documents (name text primary key, record text not null);
create table if not exists files (sha256 text primary key, content blob not null);
"""


class Ledger:
    """Observations by trial key, and the documents that say what was graded.

    With ``fresh`` only observations made by this run are seen; they are compared with the stored
    ones all the same. Observations of outcome ``infrastructure`` are never stored: they are ours,
    and the trial runs again.
    """

    def __init__(self, path: Path, run: str, *, fresh: bool = False) -> None:
        self._path = path
        self._run = run
        self._fresh = fresh
        self._lock = threading.Lock()
        self._infrastructure: dict[str, Observation] = {}
        self._cache: dict[tuple[str, str | None], Observation] = {}
        refuse_network_file_system(path)
        make_folder(path.parent)
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, timeout=30)
            self._db.execute("pragma journal_mode=wal")
            self._db.execute("pragma synchronous=normal")
            self._db.executescript(_SCHEMA)
            self._check_format()
        except sqlite3.DatabaseError as error:
            raise InfrastructureError(
                f"{path} cannot be used as a ledger ({error}); move it away and grade again"
            ) from error

    def _check_format(self) -> None:
        with self._db:
            self._db.execute("insert or ignore into meta values ('format', ?)", (str(FORMAT),))
        (found,) = self._db.execute("select value from meta where name = 'format'").fetchone()
        if found != str(FORMAT):
            raise InfrastructureError(
                f"{self._path} has format {found}, this harness reads {FORMAT}; "
                "use the version that wrote it, or another --results folder"
            )

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; nothing is lost without it."""
        self._db.close()

    def get(self, key: str, weakest: str | None = None) -> Observation | None:
        """The observation of a trial, or None where it has to be made.

        Those made under weaker isolation than ``weakest`` are not seen.
        """
        if key in self._infrastructure:
            return self._infrastructure[key]
        if (key, weakest) in self._cache:
            return self._cache[key, weakest]
        query = "select record from observations where key = ?"
        parameters: list[str] = [key]
        if self._fresh:
            query += " and run = ?"
            parameters.append(self._run)
        with self._lock:
            rows = self._db.execute(query + " order by made, run", parameters).fetchall()
        for (record,) in rows:
            found = Observation.from_json(json.loads(record))
            if _isolated(found, weakest):
                self._cache[key, weakest] = found
                return found
        return None

    def put(self, observation: Observation) -> None:
        """Stores an observation for good."""
        key = observation.trial.key
        if observation.outcome == "infrastructure":
            self._infrastructure[key] = observation
            return
        self._infrastructure.pop(key, None)
        row = (key, observation.digest, self._run, canonical(_plain(observation.to_json())))
        with self._lock, self._db:
            self._db.execute(
                "insert or ignore into observations values (?, ?, ?, ?, ?)", (*row, time.time())
            )

    def digests(self, key: str) -> tuple[str, ...]:
        """The digests that runs found for one key: more than one and it does not reproduce."""
        with self._lock:
            rows = self._db.execute(
                "select digest from observations where key = ? order by made, run", (key,)
            ).fetchall()
        return tuple(row[0] for row in rows)

    def keys(self) -> Iterable[str]:
        """Every key that has an observation."""
        with self._lock:
            rows = self._db.execute("select distinct key from observations").fetchall()
        return [row[0] for row in rows]

    def put_document(self, name: str, record: Mapping[str, Any]) -> None:
        """Stores or replaces a JSON document, such as the list of what was graded."""
        with self._lock, self._db:
            self._db.execute(
                "insert or replace into documents values (?, ?)", (name, canonical(dict(record)))
            )

    def put_file(self, content: bytes) -> str:
        """Stores a submitted file by its digest, which is returned."""
        digest = sha256(content)
        with self._lock, self._db:
            self._db.execute("insert or ignore into files values (?, ?)", (digest, content))
        return digest

    def file(self, digest: str) -> bytes:
        """A stored file; raises KeyError."""
        with self._lock:
            row = self._db.execute(
                "select content from files where sha256 = ?", (digest,)
            ).fetchone()
        if row is None:
            raise KeyError(digest)
        return bytes(row[0])

    def document(self, name: str) -> dict[str, Any] | None:
        """A stored document, or None."""
        with self._lock:
            row = self._db.execute(
                "select record from documents where name = ?", (name,)
            ).fetchone()
        return None if row is None else dict(json.loads(row[0]))


def _isolated(observation: Observation, weakest: str | None) -> bool:
    """Whether an observation was made under that isolation or a stronger one."""
    if weakest is None:
        return True
    found = str(observation.circumstances.get("isolation", "L0"))
    return levels.rank(found) >= levels.rank(weakest)


def make_folder(path: Path) -> None:
    """The folder that results go to.

    Raises:
        InfrastructureError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InfrastructureError(
            f"{path} cannot be made ({error.strerror}); give another folder with --results"
        ) from error


def refuse_network_file_system(path: Path, mounts: Path = Path("/proc/mounts")) -> None:
    """SQLite's locks do not hold on network file systems.

    Raises:
        InfrastructureError: ``path`` lies on one.
    """
    if not mounts.is_file():
        return
    where = str(path.resolve())
    best, kind = "", ""
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[1])
        inside = where == point or where.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    if kind in _NETWORK_FILE_SYSTEMS:
        raise InfrastructureError(
            f"{path} lies on a network file system ({kind}), where a ledger can be damaged; "
            "give a local folder with --results"
        )


def _plain(value: Any) -> Any:
    """JSON without NaN: circumstances are for people, so an odd number becomes its name."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
