"""A key of the course, encrypted under a password, as an autograder may hold it.

From the password and a fresh salt scrypt derives 64 bytes. Half of them are a one-time pad for the
32 bytes of the key, half authenticate salt and ciphertext (HMAC-SHA-256, encrypt then MAC). A salt
is never used twice, so no pad is.

It protects the archive wherever it lies without the password. It does not protect the key from
whoever can read the password on the platform.
"""

from __future__ import annotations

import hmac
import json
import os
from hashlib import scrypt, sha256
from pathlib import Path

from harness.errors import UsageError
from harness.seeds import Key, Phase, read_key

#: The name of the file in an autograder.
FILE = "key.sealed"
#: What holds the password on the platform; else a file of this name beside ``source``.
VARIABLE = "FAIRMARK_KEY_PASSWORD"
PASSWORD_FILE = "key-password"
#: A password of fewer characters is refused.
LEAST = 16
_SALT, _KEY = 16, 32
#: scrypt's cost (RFC 7914): 64 MiB, about a fifth of a second.
_N, _R, _P = 2**16, 8, 1


def sealed(key: Key, password: str) -> bytes:
    """The content of the file.

    Raises:
        UsageError: the password is too short.
    """
    if len(password) < LEAST:
        raise UsageError(
            f"the password has {len(password)} characters; at least {LEAST} are wanted, since "
            "whoever has the archive can try passwords: python -c "
            '"import secrets; print(secrets.token_urlsafe(24))" makes one'
        )
    salt = os.urandom(_SALT)
    pad, authentication = _derived(password, salt)
    box = bytes(one ^ other for one, other in zip(key.secret, pad, strict=True))
    document = {"salt": salt.hex(), "box": box.hex(), "tag": _tag(authentication, salt, box)}
    return json.dumps({"format": 1, **document, "sha256": key.commitment}).encode() + b"\n"


def opened(content: bytes, password: str, phase: Phase = "feedback") -> Key:
    """The key in such a file.

    Raises:
        UsageError: the password is another, or the file was changed.
    """
    document = json.loads(content)
    salt, box = (bytes.fromhex(document[name]) for name in ("salt", "box"))
    pad, authentication = _derived(password, salt)
    if not hmac.compare_digest(_tag(authentication, salt, box), document["tag"]):
        raise UsageError(f"{FILE} does not open with this password")
    return Key(phase, bytes(one ^ other for one, other in zip(box, pad, strict=True)))


def commitment(content: bytes) -> str:
    """The SHA-256 of the key in such a file."""
    return str(json.loads(content)["sha256"])


def of_files(key_file: Path, password_file: Path) -> bytes:
    """The key of one file, encrypted under the password in another.

    Raises:
        UsageError: one of them cannot be used.
    """
    key = read_key(key_file, "feedback")
    try:
        password = password_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{password_file}: the password cannot be read: {error}") from error
    return sealed(key, password)


def password_on_platform(folder: Path) -> str:
    """The password from the environment, which then lacks it, or from a file; empty without one."""
    given = os.environ.pop(VARIABLE, "").strip()
    path = folder / PASSWORD_FILE
    if not given and path.is_file():
        return path.read_text(encoding="utf-8").strip()
    return given


def _derived(password: str, salt: bytes) -> tuple[bytes, bytes]:
    memory = 2 * 128 * _N * _R
    made = scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P, maxmem=memory, dklen=2 * _KEY)
    return made[:_KEY], made[_KEY:]


def _tag(key: bytes, salt: bytes, box: bytes) -> str:
    return hmac.new(key, salt + box, sha256).hexdigest()
