"""Seeds by name: every random stream is derived from a phase key and a canonical name.

The same name gives the same stream, whatever the order of calls, the process, the machine or the
time. Four keys exist: the public one is shipped (displayed examples, handouts), the others belong
to the course; the SHA-256 of a key is published before it is used and the key after.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from harness.errors import UsageError
from harness.records import canonical
from harness.results import Results

Phase = Literal["public", "feedback", "final", "late"]
PHASES: tuple[Phase, ...] = get_args(Phase)
_PUBLIC = sha256(b"fairmark public key, format 1").digest()
_HEX_DIGITS = 64
_HEX_KEY = re.compile(rf"[0-9a-f]{{{_HEX_DIGITS}}}")
_MAKING = 'python -c "import secrets; print(secrets.token_hex(32))"'
_OF_RESULTS = (
    "put the file back from a copy; without one, remove it, and `grade --prune` begins anew under "
    "another key"
)


@dataclass(frozen=True)
class Key:
    """A phase and its secret; shown as its commitment only."""

    phase: Phase
    secret: bytes

    def __repr__(self) -> str:
        return f"Key(phase={self.phase!r}, sha256={self.commitment[:12]}…)"

    @cached_property
    def commitment(self) -> str:
        """SHA-256 of the secret in hexadecimal: what is published before the phase."""
        return sha256(self.secret).hexdigest()


PUBLIC_KEY = Key("public", _PUBLIC)


@dataclass(frozen=True)
class SeedName:
    """The name of a stream.

    ``subject`` is empty where the whole cohort shares the stream (stage one), so that honest
    work is compared on common inputs.
    """

    task: str
    draw: int
    measurement: str
    stage: int
    replicate: int
    subject: str = ""

    def generator(self, key: Key) -> np.random.Generator:
        """The stream of this name under ``key``."""
        message = canonical(
            [self.task, self.draw, self.measurement, self.stage, self.replicate, self.subject]
        )
        derived = hmac.new(key.secret, message.encode(), sha256).digest()
        sequence = np.random.SeedSequence(int.from_bytes(derived, "big"))
        return np.random.Generator(np.random.PCG64(sequence))


def read_key(path: Path, phase: Phase, remedy: str = "") -> Key:
    """The key in a file: 64 hexadecimal digits.

    Args:
        remedy: what to do where the file holds something else; else to make another key.

    Raises:
        UsageError: the file is missing or holds something else.
    """
    try:
        text = path.read_text(encoding="ascii").strip().lower()
    except (OSError, UnicodeDecodeError) as error:
        remedy = remedy or f"make one with {_MAKING} > {path}"
        raise UsageError(f"{path}: cannot read the {phase} key ({error}); {remedy}") from error
    if not _HEX_KEY.fullmatch(text):
        others = " of which some are none" if len(text) == _HEX_DIGITS else ""
        raise UsageError(
            f"{path}: a key is 64 hexadecimal digits, found {len(text)} characters{others}; "
            + (remedy or f"see that this is the file of the key, or make one with {_MAKING} > FILE")
        )
    return Key(phase, bytes.fromhex(text))


def phase_key(phase: Phase, key_file: Path | None, results: Path) -> Key:
    """The key of a phase: from a file, or for feedback one made on first use.

    The feedback key is kept in the results folder, readable by its owner only. Final and late keys
    decide grades, so they are never made on the way.

    Args:
        results: the results folder.

    Raises:
        UsageError: a final or late phase without ``--key-file``, or the results folder or a key
            file that cannot be used.
    """
    if key_file is not None:
        return read_key(key_file, phase)
    if phase == "public":
        return PUBLIC_KEY
    if phase != "feedback":
        raise UsageError(
            f"--phase {phase} needs --key-file: publish the SHA-256 of that key before the "
            "deadline and the key after it"
        )
    folder = Results(results)
    if folder.feedback_key.exists():
        folder.check(reads=True)
    else:
        folder.make()
        _make_key(folder.feedback_key)
    return read_key(folder.feedback_key, phase, _OF_RESULTS)


def _make_key(path: Path) -> None:
    """Writes a new key, whole or not at all, that only its owner can read."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.touch(mode=0o600, exist_ok=False)
    temporary.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
    os.replace(temporary, path)
