"""``schema``: write the JSON Schemas of the files that authors write, or say which are old."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.results import make_folder
from harness.spec import schemas
from harness.verbs import output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--write", action="store_true", help="write what is out of date")
    parser.add_argument(
        "--to", type=Path, default=Path("docs/schemas"), metavar="DIR", help="where they lie"
    )


def run(args: argparse.Namespace) -> int:
    """Compares the files with the models; 0 if all are current, or are now."""
    wanted = {args.to / f"{name}.json": schemas.text(name) for name in schemas.MODELS}
    if args.write:
        make_folder(args.to)
    return output.bring_up_to_date(args, wanted, "all schemas are those of the models")
