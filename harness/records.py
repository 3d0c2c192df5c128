"""The nouns that travel between the stages: Program, Trial, Observation, Verdict.

All are frozen and survive a round trip through JSON unchanged, arrays bit for bit: an array is
stored as its dtype, shape and little-endian bytes in base64, so NaN and infinities need no special
spelling.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Status = Literal["PASS", "FAIL", "INCONCLUSIVE", "ERROR", "SKIPPED", "UNGRADABLE"]
Role = Literal["submission", "reference", "variant", "mutant", "starter", "constant"]

#: What a program can do wrong, in the words that are stored with a verdict.
PROGRAM_CAUSES = (
    "missing-file",
    "empty",
    "not-text",
    "too-large",
    "unsafe-file",
    "unsafe-archive",
    "unreadable-archive",
    "syntax",
    "missing-name",
    "signature",
    "exception",
    "exit",
    "signal",
    "timeout",
    "memory",
    "bad-output",
    "reseeded",
    "protocol",
    "worker-died",
    "leftover-process",
    "not-reproducible",
)

#: dtypes that cross the trust boundary, in numpy's names.
WIRE_DTYPES = ("float64", "float32", "int64", "uint8", "bool")


def canonical(value: object) -> str:
    """The one JSON text of a value: sorted keys, no spaces, ASCII, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256(data: bytes | str) -> str:
    """The SHA-256 of some bytes, or of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def encode_array(array: Array) -> dict[str, Any]:
    """An array as JSON, without losing a bit."""
    contiguous = np.ascontiguousarray(array)
    little = contiguous.astype(contiguous.dtype.newbyteorder("<"), copy=False)
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "data": base64.b64encode(little.tobytes()).decode("ascii"),
    }


def decode_array(record: Mapping[str, Any]) -> Array:
    """The inverse of :func:`encode_array`."""
    dtype = np.dtype(record["dtype"])
    flat = np.frombuffer(base64.b64decode(record["data"]), dtype=dtype.newbyteorder("<"))
    return flat.astype(dtype).reshape(record["shape"])


def digest_array(array: Array) -> str:
    """A digest of dtype, shape and bytes."""
    return sha256(canonical(encode_array(array)))


@dataclass(frozen=True)
class Program:
    """Something that can be run: a submission, the reference, a variant, a mutant, a starter,
    or a program that answers everything with one number.

    Attributes:
        name: the subject's name; unique among programs of one role.
        files: file name -> content, as copied into the sandbox.
    """

    name: str
    role: Role
    files: Mapping[str, bytes]

    @cached_property
    def all_digests(self) -> Mapping[str, str]:
        """SHA-256 of every file, by name."""
        return {name: sha256(content) for name, content in sorted(self.files.items())}

    def digests(self, names: tuple[str, ...]) -> dict[str, str]:
        """SHA-256 of those of the named files that the program has."""
        return {name: self.all_digests[name] for name in names if name in self.files}

    @property
    def sha256(self) -> str:
        """A digest of all files and their names."""
        return sha256(canonical(dict(self.all_digests)))


@dataclass(frozen=True, order=True)
class Step:
    """Which trial of a measurement: its stage, and its number within the stage.

    Attributes:
        stage: 0 for a displayed example (public key), 1 common to the cohort, 2 the subject's own.
        replicate: looks of an estimator and seeds of a training run are counted from 0.
    """

    stage: int
    replicate: int = 0

    def subject(self, owner: str) -> str:
        """Whose name is in the seed's: the owner's in stage two, nobody's where it is common."""
        return owner if self.stage == OWN.stage else ""


#: The first step of each stage: a displayed example, common to the cohort, the subject's own.
EXAMPLE, COMMON, OWN = Step(0), Step(1), Step(2)


@dataclass(frozen=True)
class Trial:
    """One measurement of one program at one named seed.

    Attributes:
        stage, replicate: see :class:`Step`.
        subject: whose seed it is; empty where the seed is common to the cohort.
        key: identifies the values that must come out: digests of everything they depend on.
    """

    task: str
    measurement: str
    program: str
    role: Role
    stage: int
    replicate: int
    subject: str
    key: str

    @property
    def step(self) -> Step:
        """Stage and replicate together."""
        return Step(self.stage, self.replicate)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Observation:
    """What one trial gave.

    ``values`` are compared and hashed. ``circumstances`` (seconds, machine, isolation, output of
    the program) are for people and never compared. ``outcome`` is ``ok``, ``error`` (the
    program's doing, with one of :data:`PROGRAM_CAUSES`) or ``infrastructure`` (ours).
    """

    trial: Trial
    outcome: Literal["ok", "error", "infrastructure"]
    values: Mapping[str, Array] = field(default_factory=dict)
    cause: str = ""
    message: str = ""
    transcript: tuple[Mapping[str, Any], ...] = ()
    circumstances: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of what is compared: outcome, cause and values."""
        encoded = {name: encode_array(value) for name, value in self.values.items()}
        return sha256(canonical([self.outcome, self.cause, encoded]))

    def to_json(self) -> dict[str, Any]:
        return {
            "trial": self.trial.to_json(),
            "outcome": self.outcome,
            "values": {name: encode_array(value) for name, value in self.values.items()},
            "cause": self.cause,
            "message": self.message,
            "transcript": list(self.transcript),
            "circumstances": dict(self.circumstances),
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Observation:
        return cls(
            trial=Trial(**record["trial"]),
            outcome=record["outcome"],
            values={name: decode_array(value) for name, value in record["values"].items()},
            cause=record["cause"],
            message=record["message"],
            transcript=tuple(record["transcript"]),
            circumstances=record["circumstances"],
        )


@dataclass(frozen=True)
class Verdict:
    """The mark of one check for one submission.

    Attributes:
        points: None where nothing can be said through no fault of the program (UNGRADABLE).
        evidence: the figures behind the status: numbers, short words; finite or a string.
        message: one sentence; for a hidden check it says nothing about the instance.
        example: what was called, what came back, what was wanted (visible checks that failed).
    """

    submission: str
    task: str
    check: str
    status: Status
    cause: str
    points: float | None
    max_points: float
    visibility: Literal["visible", "hidden"]
    evidence: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    hint: str = ""
    example: Mapping[str, Any] | None = None
    seeds_used: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Verdict:
        return cls(**record)


def finite_or_text(number: float) -> float | str:
    """A number as JSON evidence: itself if finite, else ``"nan"``, ``"inf"`` or ``"-inf"``."""
    value = float(number)
    return value if np.isfinite(value) else str(value)
