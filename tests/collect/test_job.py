"""What a job's zygote imports: torch._dynamo where a program may need it."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.collect.job import needs_dynamo, run_job
from harness.marking.jobs import Job, PlannedTrial
from harness.marking.trials import name_trial
from harness.records import COMMON, Program
from harness.sandbox import choice
from harness.seeds import PUBLIC_KEY
from harness.spec.catalogue import load_all

COURSE = Path(__file__).parents[1] / "course"
(SQUARE,) = load_all(COURSE / "tasks", COURSE / "reference", ["square"])
#: Whether it is imported, said without a word that is looked for.
PRINT = "print('imported', 'torch._dyn' + 'amo' in sys.modules)"
PROGRAM = f"""
import sys
import torch

def square(x):
    {PRINT}
    torch.{{optim}}.SGD([torch.ones(1, requires_grad=True)], lr=0.1)
    {PRINT}
    return x * x
"""


def planned(source):
    """One trial of such a program, with time enough to import on a busy machine."""
    limits = SQUARE.spec.limits.model_copy(update={"call_s": 60.0, "trial_s": 120.0})
    task = replace(SQUARE, spec=SQUARE.spec.model_copy(update={"limits": limits}))
    files = {task.spec.file: source.encode()}
    trial = name_trial(task, Program("ada", "submission", files), "values", COMMON, "", PUBLIC_KEY)
    return PlannedTrial(trial, task, files)


@pytest.mark.parametrize(
    ("words", "before"),
    [("optim", True), ("__dict__['opt' + 'im']", False)],
    ids=["foreseen", "unforeseen"],
)
def test_an_optimiser_works_whether_it_was_foreseen_or_not(words, before):
    trial = planned(PROGRAM.replace("{optim}", words))
    (observation,) = run_job(Job("ada", PUBLIC_KEY, (trial,)), choice.best())
    assert observation.outcome == "ok", observation.message
    printed = observation.circumstances["output"].splitlines()
    assert printed[:2] == [f"imported {before}", "imported True"]


def test_a_submission_keeps_no_scale_and_its_metrics_are_digested_whole():
    program = Program("ada", "submission", SQUARE.reference.solution.files)
    source = planned("")
    trials = [
        replace(source, trial=replace(source.trial, role=role), files=dict(program.files))
        for role in ("submission", "mutant", "reference")
    ]
    found = {
        observation.trial.role: observation
        for observation in run_job(Job("ada", PUBLIC_KEY, tuple(trials)), choice.best())
    }
    kept = {role: set(each.statistics["value"]) for role, each in found.items()}
    assert kept == {
        "submission": {"value"}, "mutant": {"value"}, "reference": {"value", "scale"},
    }  # fmt: skip
    metrics = found["reference"].metrics
    assert any(name.endswith("__scale") for name in metrics)
    assert all(each.metrics == metrics for each in found.values())


@pytest.mark.parametrize(
    ("source", "needed"),
    [
        ("from torch import optim", True),
        ("torch.compile(f)", True),
        ("torch.func.grad(f)", True),
        ("from torch.utils.checkpoint import checkpoint", True),
        ("import functorch", True),
        ("import torch._dynamo", True),
        ("torch.autograd.functional.jacobian(f, x)", False),
        ("class F(torch.autograd.Function): ...", False),
    ],
)
def test_what_is_foreseen_stands_in_the_words_of_a_file(source, needed):
    assert needs_dynamo([planned(source)]) == needed


def test_the_file_given_with_a_task_counts_too():
    trial = planned("def square(x): ...")
    given = replace(trial, task=replace(trial.task, given=b"import torch.optim"))
    assert needs_dynamo([trial, given])
    assert not needs_dynamo([trial])
