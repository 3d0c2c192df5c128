"""Which file system a path lies on: a ledger needs one whose locks hold."""

from __future__ import annotations

import re
from pathlib import Path

from harness.errors import InfrastructureError

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
