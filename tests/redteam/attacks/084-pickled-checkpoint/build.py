"""Makes the submission; run by the driver."""

import pickle
import zipfile
from pathlib import Path

SOURCE = """
import torch

def solve(x):
    return x * 0
"""


class Payload:
    def __reduce__(self):
        import os

        return (os.system, ("echo loaded >> @witness_file@",))


def build(folder: Path) -> Path:
    path = folder / "attack"
    path.mkdir()
    (path / "rt_exp.py").write_text(SOURCE)
    for name in ("rt_exp.pt", "rt_exp.pth", "rt_exp.pkl", "rt_exp.safetensors", "rt_exp.npy"):
        (path / name).write_bytes(pickle.dumps(Payload()))
    with zipfile.ZipFile(path / "model.pt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Payload()))
        archive.writestr("archive/version", "3")
    return path
