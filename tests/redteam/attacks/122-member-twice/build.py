"""Makes the submission; run by the driver."""

import warnings
import zipfile
from pathlib import Path


def build(folder: Path) -> Path:
    path = folder / "attack.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")
        for factor in ("0", "1"):
            archive.writestr("rt_exp.py", f"def solve(x):\n    return x * {factor}\n")
    return path
