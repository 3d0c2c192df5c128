"""Makes the submission; run by the driver."""

import io
import tarfile
from pathlib import Path


def build(folder: Path) -> Path:
    path = folder / "attack.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, kind, target in [
            ("rt_exp.py", tarfile.SYMTYPE, "@secret_file@"),
            ("rt_twice.py", tarfile.LNKTYPE, "@secret_file@"),
            ("rt_draw.py", tarfile.CHRTYPE, ""),
            ("pipe", tarfile.FIFOTYPE, ""),
        ]:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            archive.addfile(member, io.BytesIO())
    return path
