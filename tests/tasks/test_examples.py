"""The example of a failed check shows the call, its argument and what was expected: real gradings.

Each file is a reference of which one function's answers are spoilt far out, or cut out of the
graph of its arguments.
"""

import json
import re
import subprocess
import sys

import pytest

from tests.support.programs import ROOT, load, submission

WRAPPED = """

def _spoilt(function):
    def call(*args, **named):
        x = function(*args, **named)
        return ({first}, *x[1:]) if isinstance(x, tuple) else {whole}
    return call

import torch
{name} = _spoilt({name})
"""

#: submission -> (task, function, its answer x, check, what its example says)
EXPLAINED = {
    "nan-at-30": (
        "elbo-gaussian-kl", "kl_std_normal", "torch.where(x > 1e20, torch.nan, x)", "standard",
        {"call": r".*\nprint\(kl_std_normal\(mu, log_sigma\)\)",
         "got": ".*nan.*", "wanted": r".*e\+\d\d.*"},
    ),
    "nan-at-minus-30": (
        "elbo-gaussian-kl", "gaussian_entropy", "torch.where(x < -20, torch.nan, x)", "entropy",
        {"call": r".*\nprint\(gaussian_entropy\(log_sigma\)\)",
         "got": ".*nan.*", "wanted": r"\[.*-\d\d.*"},
    ),
    "nan-at-50": (
        "reparam-sample", "sigma_softplus", "torch.where(x > 49.9, torch.nan, x)", "sigma-range",
        {"call": r".*raw = torch\.tensor\(\[\[50\.\]\].*",
         "got": ".*nan.*", "wanted": r"\[\[50\]\]"},
    ),
    "cut-out": (
        "reparam-sample", "rsample", "x.detach()", "rsample-grad",
        {"call": r".*grad\(rsample\(mu, log_sigma, eps\), \[mu, log_sigma\], cotangent\)\)",
         "note": ".*no gradient reaches mu, log_sigma: .*"},
    ),
    "cut-from-one": (
        "elbo-identities", "kl_prior", "x.detach() + 0 * args[0].sum()", "gradient",
        {"call": r".*grad\(kl_prior\(mu, log_sigma\), \[mu, log_sigma\], cotangent\)\)",
         "note": ".*no gradient reaches log_sigma: .*"},
    ),
}  # fmt: skip


#: Who hands them in: each one file a task, since every submission costs sandboxes.
BY = {
    "nan-at-30": "ada",
    "nan-at-minus-30": "bob",
    "nan-at-50": "ada",
    "cut-out": "bob",
    "cut-from-one": "ada",
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Every check of the submissions above."""
    submissions, results = (tmp_path_factory.mktemp(name) for name in ("submissions", "results"))
    for label, (name, function, answer, *_) in EXPLAINED.items():
        task = load(name)
        first = re.sub(r"\bx\b", "x[0]", answer)
        source = task.reference.solution.files[task.spec.file].decode()
        program = submission(
            task, source + WRAPPED.format(name=function, whole=answer, first=first)
        )
        (submissions / BY[label]).mkdir(exist_ok=True)
        for file, content in program.files.items():
            (submissions / BY[label] / file).write_bytes(content)
    command = [sys.executable, "-m", "harness", "grade", submissions, "--results", results]
    for name in sorted({name for name, *_ in EXPLAINED.values()}):
        command += ["--task", name]
    done = subprocess.run(
        [*map(str, command), "--json"], cwd=ROOT, capture_output=True, check=False
    )
    return {
        (row["name"], task["id"], check["id"]): check
        for row in json.loads(done.stdout)["submissions"]
        for task in row["tasks"]
        for check in task["checks"]
    }


@pytest.mark.parametrize("label", EXPLAINED)
def test_feedback_shows_the_argument_and_what_was_expected(graded, label):
    name, _, _, check, wanted = EXPLAINED[label]
    verdict = graded[BY[label], name, check]
    assert verdict["status"] == "FAIL"
    assert (verdict["cause"] == "not-finite") == label.startswith("nan")
    for part, pattern in wanted.items():
        assert re.fullmatch(pattern, verdict["example"][part], re.DOTALL), verdict["example"][part]
