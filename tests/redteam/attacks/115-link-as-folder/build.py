"""Makes the submission; run by the driver."""

from pathlib import Path


def build(folder: Path) -> Path:
    path = folder / "attack"
    path.symlink_to(Path("@other_submission@").parent)
    return path
