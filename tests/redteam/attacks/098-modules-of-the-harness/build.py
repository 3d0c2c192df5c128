"""Makes the submission; run by the driver."""

from pathlib import Path

PAYLOAD = "open('@witness_file@', 'a').write('imported')\nprint('@claim@')\n"
NAMES = "torch numpy json conftest noxfile sitecustomize harness rt_exp_measure given measure"


def build(folder: Path) -> Path:
    path = folder / "attack"
    (path / "harness").mkdir(parents=True)
    (path / "rt_exp.py").write_text("import json\n\n\ndef solve(x):\n    return x * 0\n")
    for name in NAMES.split():
        (path / f"{name}.py").write_text(PAYLOAD)
    (path / "harness" / "__init__.py").write_text(PAYLOAD)
    (path / "evil.pth").write_text("import given\n")
    return path
