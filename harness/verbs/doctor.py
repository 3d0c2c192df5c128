"""``doctor``: what this machine offers, which isolation is in force and what would raise it."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from harness import levels
from harness.errors import InfrastructureError, UsageError
from harness.images import published
from harness.machine import machine_class
from harness.mounts import refuse_network_file_system
from harness.sandbox import choice
from harness.seeds import read_key
from harness.syllabus import read_syllabus
from harness.verbs import options, output

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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.results(parser)
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="show this key's SHA-256")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="show which published sets of images lie there"
    )
    parser.add_argument(
        "--download",
        choices=tuple(published.SETS),
        action="append",
        default=[],
        help="with --data: get this set into it first, about 12 or 30 MB",
    )


def run(args: argparse.Namespace) -> int:
    """Prints what this machine offers; returns the exit code."""
    document: dict[str, Any] = {
        "isolation": _isolation(),
        "devices": _devices(),
        "versions": {**_versions(), "python": platform.python_version()},
        "data": _data(args),
    }
    if args.download and args.data is None:
        raise UsageError("--download needs --data DIR: the folder that the files go to")
    if args.data is not None:
        document["images"] = _images(args.data, args.download)
    if args.key_file is not None:
        commitment = read_key(args.key_file, "final").commitment
        document["key"] = {"file": str(args.key_file), "sha256": commitment}
    texts = [*document["data"].values(), *document.get("images", {}).values()]
    problems = [text for text in texts if text.startswith("problem")]
    if document["isolation"]["level"] == "none":
        problems.append(document["isolation"]["reason"])
    if args.json:
        output.emit(document)
    else:
        for title, section in document.items():
            print(title)
            for name, value in section.items():
                _show(name, value, "  ")
    return 1 if problems else 0


def _show(name: str, value: object, indent: str) -> None:
    """Prints a value on a line, a mapping on one line an item; canaries' messages are JSON only."""
    if not isinstance(value, dict):
        print(f"{indent}{name}: {value}")
    elif name != "said":
        print(f"{indent}{name}" + ": none" * (not value))
        for inner, item in value.items():
            _show(inner, item, indent + "  ")


def _isolation() -> dict[str, Any]:
    """The strongest level, what every weaker and stronger one lacks, and what would raise it."""
    document: dict[str, Any] = {}
    try:
        best = choice.best()
        document = {"level": best.level, "reason": levels.MEANING[best.level], **best.record}
        del document["meaning"]
    except InfrastructureError as error:
        document = {"level": "none", "reason": str(error), "canaries": {}}
    document["levels"] = {}
    for level in choice.candidates():
        try:
            canaries = choice.at(level).record["canaries"]
            got = (
                ", ".join(name for name, state in canaries.items() if state == "open") or "nothing"
            )
            document["levels"][level] = f"reached; got through: {got}"
        except InfrastructureError as error:
            remedy = levels.REMEDY.get(level, "")
            document["levels"][level] = f"not reached: {error}" + f" ({remedy})" * bool(remedy)
    return document


def _devices() -> dict[str, Any]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "system": f"{platform.system()} {platform.release()}",
        "cores": cores,
        "machine_class": machine_class(),
        "executable": Path(sys.executable).name,
    }


def _versions() -> dict[str, str]:
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            remedy = " (pip install 'fairmark[atari]')" if name == "ale-py" else ""
            versions[name] = f"not installed{remedy}"
    return versions


def _images(folder: Path, wanted: Sequence[str]) -> dict[str, str]:
    """Which published sets lie in a folder, part by part, after those that are wanted were got."""
    for name in wanted:
        for part in published.PARTS:
            published.download(published.SETS[name], part, folder)
    texts = {}
    for name, each in published.SETS.items():
        for part in published.PARTS:
            try:
                pixels, _ = published.arrays(each, part, folder)
                text = f"{len(pixels)} images"
            except UsageError as error:
                gone = published.missing(each, part, folder)
                text = "not there" if gone else f"problem: {error}"
            texts[f"{name}, {part}"] = text
    return texts


def _data(args: argparse.Namespace) -> dict[str, str]:
    try:
        syllabus = read_syllabus(args.tasks, args.reference, None)
        catalogue = syllabus.catalogue
        which = "without references" if syllabus.at_home else "with their references"
        loaded = f"{len(catalogue.loaded)} tasks {which}"
        problems = [f"problem: {problem}" for problem in catalogue.all_problems]
        loaded = "; ".join([loaded, *problems])
    except UsageError as error:
        loaded = f"problem: {error}"
    results = str(args.results)
    try:
        refuse_network_file_system(args.results.absolute())
    except InfrastructureError as error:
        results = f"problem: {error}"
    return {"tasks": loaded, "results": results}
