"""``redteam``: run the attacks as submissions and show what every level of isolation stops."""

from __future__ import annotations

import argparse
import json
import sys

from harness import cli
from harness.ledger import make_folder
from harness.redteam import model, table
from harness.redteam import run as rounds
from harness.report.atomic import write_text
from harness.spec.load import load_all


def run(args: argparse.Namespace) -> int:
    attacks = model.load(args.attacks, args.attack)
    course = args.attacks.parent / "course"
    tasks = load_all(course / "tasks", course / "reference")
    played = [
        rounds.play(tasks, attacks, level, max(args.jobs, 1), table.progress)
        for level in args.level or model.LEVELS
    ]
    document = table.document(played)
    make_folder(args.results)
    text = json.dumps({**cli.head(), "redteam": document}, indent=2, allow_nan=False)
    write_text(args.results / "redteam.json", text + "\n")
    table.show(played, attacks, sys.stderr if args.json else sys.stdout)
    if args.json:
        cli.emit(args, {"redteam": document})
    missing = any(each.unavailable for each in played) if args.level else False
    nothing = all(each.unavailable for each in played)
    return 1 if missing or nothing or not all(each.sound for each in played) else 0
