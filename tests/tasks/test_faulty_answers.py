"""Right numbers in a wrong form: every function of the first groups names what it was asked for.

Each public function of a reference is wrapped so that its answers have one axis too many, are
combined into a square, have half the precision, are no tensors, are cut out of the graph or hold
NaN far out; nothing else is wrong.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.collect.bare import BareProgram
from harness.contract import ArrayType, TupleType
from harness.errors import ProgramError
from harness.records import COMMON, Program
from harness.seeds import PUBLIC_KEY
from harness.spec.load import load_task

ROOT = Path(__file__).parents[2]
TASKS = [
    "elbo-gaussian-kl", "elbo-point-mass", "elbo-obs-loglik", "elbo-identities", "reparam-sample",
    "reparam-grad", "score-grad", "grad-variance", "path-derivative", "marg-importance",
    "vi-fit-and-amortise", "bbvi-mixture",
]  # fmt: skip
LOADED = {
    name: load_task(ROOT / "tasks" / name, ROOT / "reference" / name)
    for name in TASKS
    if (ROOT / "tasks" / name / "task.yaml").is_file()
}
WRAPPED = """

def _faulty(function):
    def call(*args, **named):
        found = function(*args, **named)
        if not isinstance(found, tuple):
            return _spoilt(found, args)
        return (_spoilt(found[0], args), *found[1:])
    return call

def _spoilt(x, args):
    import torch
    return {fault}

{name} = _faulty({name})
"""
#: fault -> (expression, pattern of the message)
FAULTS = {
    "column": ("x.unsqueeze(-1)", r"squeeze axis \d, which has size 1"),
    "single": ("x.float()", r"expected float64 .*, got float32 .*; compute in float64"),
    "array": ("x.detach().numpy()", r"ndarray"),
    "nothing": ("None", r"None"),
}


def first(task, name):
    """The type of the first result."""
    returns = LOADED[task].contract.functions[name].returns
    return returns.items[0] if isinstance(returns, TupleType) else returns


ALL = [
    (task, name)
    for task, loaded in LOADED.items()
    for name in loaded.contract.functions
    if isinstance(first(task, name), ArrayType)
]


def spoilt(task, name, fault):
    """The reference, with one function whose answers are faulty."""
    solution = task.reference.solution.files[task.spec.file].decode()
    text = solution + WRAPPED.format(fault=fault, name=name)
    return Program(f"{name} spoilt", "submission", {task.spec.file: text.encode()})


def said(task, program):
    """The complaint at the first measurement that the program does not get through."""
    for measurement in task.spec.measurements:
        with BareProgram(task, program) as bare:
            try:
                bare.values(measurement, COMMON, PUBLIC_KEY)
            except ProgramError as error:
                return error.cause, str(error)
    return None


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("task", "name"), ALL)
def test_an_answer_in_a_wrong_form_is_told_what_was_asked_for(task, name, fault):
    expression, pattern = FAULTS[fault]
    cause, message = said(LOADED[task], spoilt(LOADED[task], name, expression))
    assert cause == "bad-output"
    assert re.fullmatch(rf"{name}: (the result|result 1 of \d)(:| is) .*{pattern}.*", message)


@pytest.mark.parametrize(("task", "name"), [one for one in ALL if first(*one).dims == ("b",)])
def test_a_column_combined_with_a_row_is_told_of_the_square(task, name):
    cause, message = said(LOADED[task], spoilt(LOADED[task], name, "x[:, None] + 0 * x"))
    assert cause == "bad-output"
    assert message.startswith(f"{name}: ")
    assert "were [b] and [b, 1] combined into [b, b]?" in message


#: submission -> (task, function, its answer x, check, what its example says)
EXPLAINED = {
    "nan-at-30": (
        "elbo-gaussian-kl", "kl_std_normal", "torch.where(x > 1e20, torch.nan, x)", "standard",
        {"call": r"kl_std_normal\(.*, log_sigma=\[30\., .*", "got": "nan", "wanted": r"\d.*e\+26"},
    ),
    "nan-at-minus-30": (
        "elbo-gaussian-kl", "gaussian_entropy", "torch.where(x < -100, torch.nan, x)", "entropy",
        {"call": r"gaussian_entropy\(log_sigma=\[-30\., .*", "got": "nan", "wanted": "-1.*"},
    ),
    "nan-at-50": (
        "reparam-sample", "sigma_softplus", "torch.where(x > 49.9, torch.nan, x)", "sigma-range",
        {"call": r"sigma_softplus\(raw=\[50\., .*", "got": ".*nan.*", "wanted": r"\[50\., .*"},
    ),
    "cut-out": (
        "reparam-sample", "rsample", "x.detach()", "rsample-grad",
        {"call": "gradient of rsample.*", "note": "no gradient reaches mu, log_sigma: .*"},
    ),
    "cut-from-one": (
        "elbo-identities", "kl_prior", "x.detach() + 0 * args[0].sum()", "gradient",
        {"call": "gradient of kl_prior.*", "note": "no gradient reaches log_sigma: .*"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Every check of the submissions above."""
    submissions, results = (tmp_path_factory.mktemp(name) for name in ("submissions", "results"))
    for label, (task, name, expression, *_) in EXPLAINED.items():
        (submissions / label).mkdir()
        for file, content in spoilt(LOADED[task], name, expression).files.items():
            (submissions / label / file).write_bytes(content)
    command = [sys.executable, "-m", "harness", "grade", submissions, "--results", results]
    done = subprocess.run(
        [*map(str, command), "--json", "--tier", "all"], cwd=ROOT, capture_output=True, check=False
    )
    return {
        (submission["name"], task["id"], check["id"]): check
        for submission in json.loads(done.stdout)["submissions"]
        for task in submission["tasks"]
        for check in task["checks"]
    }


@pytest.mark.parametrize("label", EXPLAINED)
def test_feedback_shows_the_argument_and_what_was_expected(graded, label):
    task, _, _, check, wanted = EXPLAINED[label]
    found = graded[label, task, check]
    assert found["status"] == "FAIL"
    assert (found["cause"] == "not-finite") == label.startswith("nan")
    for part, pattern in wanted.items():
        assert re.fullmatch(pattern, found["example"][part], re.DOTALL), found["example"][part]
