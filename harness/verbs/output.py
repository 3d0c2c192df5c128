"""What every verb says to programs: one JSON document with one head."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import harness


def emit(document: dict[str, Any]) -> None:
    """Prints the one JSON document of a verb, with its head."""
    print(json.dumps({**head(), **document}, indent=2, allow_nan=False))


def head() -> dict[str, Any]:
    """What every JSON document carries."""
    return {"format": 1, "harness": harness.__version__, "commit": commit()}


def commit() -> str:
    """The commit that the harness runs from, or an empty text outside a checkout."""
    root = Path(harness.__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return ""
    found = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()
