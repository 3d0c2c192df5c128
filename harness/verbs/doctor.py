"""``doctor``: what this machine offers, which isolation is in force and what would raise it."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from harness import cli
from harness.collect.sandbox import LEVEL, Sandbox
from harness.errors import InfrastructureError, UsageError
from harness.ledger import refuse_network_file_system
from harness.seeds import read_key
from harness.spec.load import load_all
from harness.spec.models import Limits
from harness.trials import machine_class

_PACKAGES = (
    "torch",
    "numpy",
    "scipy",
    "gymnasium",
    "ale-py",
    "pandas",
    "pydantic",
    "safetensors",
    "jaxtyping",
)


def run(args: argparse.Namespace) -> int:
    document: dict[str, Any] = {
        "isolation": _isolation(),
        "devices": _devices(),
        "versions": {**_versions(), "python": platform.python_version()},
        "data": _data(args),
    }
    if args.key_file is not None:
        commitment = read_key(args.key_file, "final").commitment
        document["key"] = {"file": str(args.key_file), "sha256": commitment}
    problems = [found for found in document["data"].values() if str(found).startswith("problem")]
    if document["isolation"]["level"] == "none":
        problems.append(document["isolation"]["reason"])
    if args.json:
        cli.emit(args, document)
    else:
        for title, section in document.items():
            print(title)
            for name, value in section.items():
                print(f"  {name}: {value}")
    return 1 if problems else 0


def _isolation() -> dict[str, Any]:
    """What a sandbox of the kind that grades can really do, tried in one."""
    try:
        with Sandbox() as sandbox:
            program = sandbox.place("doctor", {"probe.py": b""})
            with sandbox.trial(program, Limits()) as link:
                link.request(
                    {"op": "load", "module": "probe", "file": "probe.py", "given": False}, []
                )
    except InfrastructureError as error:
        return {"level": "none", "reason": str(error), "canaries": {}}
    return {
        "level": LEVEL,
        "reason": (
            "a separate process with limits and a scrubbed environment, and every process left "
            "behind killed; files and network are not hidden from submitted code"
        ),
        "canaries": {},
        "bubblewrap": shutil.which("bwrap") or "not installed",
        "uid": os.getuid(),
    }


def _devices() -> dict[str, Any]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "system": f"{platform.system()} {platform.release()}",
        "cores": cores,
        "machine_class": machine_class(),
        "executable": Path(sys.executable).name,
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed" + (
                " (pip install 'fairmark[atari]')" * (name == "ale-py")
            )
    return found


def _data(args: argparse.Namespace) -> dict[str, str]:
    try:
        tasks = load_all(args.tasks, args.reference)
        said = f"{len(tasks)} tasks with their references"
    except UsageError as error:
        said = f"problem: {error}"
    results = str(args.results)
    try:
        refuse_network_file_system(args.results.absolute())
    except InfrastructureError as error:
        results = f"problem: {error}"
    return {"tasks": said, "results": results}
