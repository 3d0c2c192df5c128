"""``verify``: references and variants pass, starters are errors, every known mistake is caught."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace

from harness import grading
from harness.collect.pool import fresh
from harness.errors import UsageError
from harness.feasibility import require_feasible
from harness.ledger import Ledger
from harness.marking.views import View
from harness.progress import ProgressLine
from harness.proving import examination, hints, page, verification
from harness.proving.verification import TaskProof
from harness.results import Results
from harness.sandbox import choice
from harness.seeds import PUBLIC_KEY
from harness.spec.catalogue import load_all
from harness.spec.load import LoadedTask
from harness.verbs import keys, mutate, options, output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.task_names(parser)
    options.results(parser)
    options.tier(parser)
    options.jobs(parser)
    parser.add_argument(
        "--store", action="store_true", help="store what the mistakes answer, for the hints"
    )
    parser.add_argument(
        "--mutate",
        action="store_true",
        help="instead: change every honest program automatically; does a check notice?",
    )
    parser.add_argument(
        "--keys",
        type=options.positive,
        metavar="N",
        help="instead: known mistakes of exact checks, and honest rewritings, under N keys",
    )


def run(args: argparse.Namespace) -> int:
    """Proves tasks and writes the figures; returns the exit code."""
    tasks = load_all(args.tasks, args.reference, args.task)
    chosen = [task for task in tasks if args.tier in ("all", task.spec.tier)]
    if not chosen:
        names = ", ".join(task.id for task in tasks)
        raise UsageError(f"no task of tier {args.tier} is among {names}; leave --tier out")
    require_feasible(chosen)
    if args.mutate:
        return mutate.run(args, chosen)
    if args.keys:
        return keys.run(args, chosen)
    with fresh(args.jobs) as pool:
        examined = list(pool.map(examination.examined, chosen))
        examination.refuse(examined)
    progress = ProgressLine(jobs=args.jobs)
    results = Results(args.results)
    # the lock comes first, so that another run is noticed before anything is stored
    with results.verify.writer(), Ledger(results.verify.ledger, "verify") as ledger:
        if args.store:
            chosen = _with_answers(args, chosen)
        view = View(PUBLIC_KEY, ledger)
        with grading.local_executor(args.jobs) as executor:
            proofs = verification.verify(chosen, view, executor, progress, args.jobs, choice.best())
    proofs = [
        replace(
            proof,
            complaints=(
                *proof.complaints,
                *examined_task.complaints,
                *hints.complaints_of(proof.task),
            ),
        )
        for proof, examined_task in zip(proofs, examined, strict=True)
    ]
    written = page.write(proofs, results, args.tasks)
    stream = sys.stderr if args.json else sys.stdout
    for proof in proofs:
        print("\n".join(_lines(proof)), file=stream)
    complaints = sum(len(proof.complaints) for proof in proofs)
    print(
        f"{len(proofs)} tasks, {sum(len(proof.mutants) for proof in proofs)} known mistakes, "
        f"{complaints} complaints; {progress.elapsed_s:.0f} s; see {written[-1]}",
        file=stream,
    )
    if args.json:
        output.emit({"tasks": [proof.to_json() for proof in proofs]})
    return 1 if complaints else 0


def _with_answers(args: argparse.Namespace, chosen: Sequence[LoadedTask]) -> list[LoadedTask]:
    """The tasks with the answers of their mistakes, made anew and stored beside the references."""
    with fresh(args.jobs) as pool:
        for task, made in zip(chosen, pool.map(hints.made, chosen), strict=True):
            if made is not None:
                print(f"stored {hints.store(made, args.reference, task)}", file=sys.stderr)
    return load_all(args.tasks, args.reference, [task.id for task in chosen])


def _lines(proof: TaskProof) -> list[str]:
    honest = f"{len(proof.honest)} honest programs"
    mistakes = f"{len(proof.mutants)} mistakes"
    if not math.isnan(proof.honest_margin):
        honest += f", worst error {proof.honest_margin:.2g} tolerances"
    if not math.isnan(proof.mutant_margin):
        mistakes += f", smallest error {proof.mutant_margin:.3g}"
    checks = proof.task.spec.checks
    most = max((sum(item.points(checks).values()) for item in proof.ignorant), default=0.0)
    lines = [
        f"{proof.task.id}: {honest}; {mistakes}; {len(proof.ignorant)} programs that know nothing, "
        f"at most {most:g} points; {proof.cpu_s:.1f} CPU s"
    ]
    for caught in proof.mutants:
        bugs = ",".join(str(bug) for bug in caught.mutant.mistake.bug)
        decision = caught.decisions[caught.named.id]
        mark = "caught" if caught.caught else "NOT CAUGHT"
        margin = "" if math.isnan(decision.margin) else f" ({decision.margin:.3g})"
        lines.append(
            f"  {mark:<10} {caught.mutant.mistake.name} [{bugs}] at {caught.named.id}: "
            f"{decision.cause}{margin}"
        )
    return lines + [f"  ! {complaint}" for complaint in proof.complaints]
