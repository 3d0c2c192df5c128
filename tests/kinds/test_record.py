"""Every kind has a complete record, and what a measurement must return is declared there."""

import ast
import inspect
import re
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from harness import kinds
from harness.causes import Cause
from harness.errors import MeasurementError
from harness.spec import checks as spec
from harness.spec.load import load_task

ROOT = Path(__file__).parents[2]
TASKS = sorted(path.parent.name for path in ROOT.glob("tasks/*/task.yaml"))
MODELS = get_args(get_args(spec.Check)[0])

COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
STAGES = {"stage_alpha": 1e-3, "min_detectable": 0.3, "beta": 0.01}
FIELDS = {
    "exact": {"against": "reference"},
    "identity": {},
    "property": {},
    "normalisation": {},
    "bounds": {"lower": -1e-9, "upper": 1e-3},
    "causality": {},
    "moments": {"against": "reference", "statistic": "mean"},
    "unbiased": {**STAGES, "dimensions": 2},
    "distribution": {**STAGES, "law": "categorical", "dimensions": 1, "categories": 3},
    "independence": {**STAGES, "dimensions": 2},
    "variance-ratio": {**STAGES, "min_detectable": 2.0, "limit": 1.2},
    "likelihood": {"against": "reference", "compare": "images"},
    "returns": {"against": "target", "target": "t.json", "low": 0.0, "high": 10.0, "episodes": 4},
    "seed-success": {
        "against": "target", "target": "t.json", "better": "higher", "threshold": 10.0, "low": 0.0,
        "success_rate": 0.9, "min_detectable": 0.3, "alpha": 3e-6, "beta": 0.05, "loss": 1e-3,
        "max_seeds": 24,
    },
}  # fmt: skip
NORMAL = {**STAGES, "law": "normal", "dimensions": 2}


def kind_of(model):
    (name,) = get_args(model.model_fields["kind"].annotation)
    return name


CHECKS = [
    model(**COMMON, kind=kind_of(model), **FIELDS.get(kind_of(model), {})) for model in MODELS
]
EVERY_CHECK = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.kind)


def test_the_kinds_are_those_that_a_spec_can_declare():
    assert sorted(kind.name for kind in kinds.KINDS) == sorted(kind_of(model) for model in MODELS)


@EVERY_CHECK
def test_every_kind_has_a_complete_record(check):
    kind = kinds.of(check)
    assert kind.metric
    assert kind.causes
    assert all(cause.fault == "answer" for cause in kind.causes)
    assert set(kind.messages) == set(kind.causes)
    assert all(kind.messages.values())
    assert set(kind.reduced_by) <= set(type(check).model_fields)
    assert (kind.required_draws is not None) == isinstance(check, spec.Stochastic)
    assert not (kind.trained and kind.has_tolerance)
    suffixes = [companion.suffix for companion in kind.companions]
    assert len(set(suffixes)) == len(suffixes)
    assert all("{metric}" in companion.meaning for companion in kind.companions)


def test_every_cause_against_an_answer_belongs_to_a_kind():
    declared = {cause for kind in kinds.KINDS for cause in kind.causes}
    assert declared == {cause for cause in Cause if cause.fault == "answer"}


@EVERY_CHECK
def test_a_missing_metric_is_named_with_its_remedy(check):
    with pytest.raises(MeasurementError) as caught:
        kinds.reduce(check, {"other": np.zeros(3)})
    error = caught.value
    assert error.message.startswith("check 'a': needs 'x")
    assert error.message.endswith("; the measurement returned other (float64, (3,))")
    assert error.remedy.startswith(f"return 'x': {kinds.of(check).metric}")


COMPANIONS = [
    pytest.param(check, companion, id=f"{check.kind}-{companion.suffix}")
    for check in CHECKS
    for companion in kinds.of(check).companions_of(check)
]
#: Metrics whose companions are all that is missing; of any shape elsewhere.
METRICS = {"unbiased": np.zeros((4, 2)), "distribution": np.zeros((4, 1))}


@pytest.mark.parametrize(("check", "companion"), COMPANIONS)
def test_a_missing_companion_is_named_with_its_remedy(check, companion):
    metrics = {"x": METRICS.get(check.kind, np.zeros(4))}
    for other in kinds.of(check).companions_of(check):
        if other is not companion:
            metrics[other.name("x")] = np.zeros(METRICS.get(check.kind, np.zeros(4)).shape[-1])
    with pytest.raises(MeasurementError) as caught:
        kinds.reduce(check, metrics)
    assert f"needs 'x__{companion.suffix}'" in caught.value.message
    assert caught.value.remedy == f"return {companion.describe('x')}"


def test_only_categories_need_probabilities():
    normal = spec.DistributionCheck(**COMMON, kind="distribution", **NORMAL)
    (categorical,) = (check for check in CHECKS if check.kind == "distribution")
    assert kinds.of(normal).companions_of(normal) == ()
    names = [item.name("x") for item in kinds.of(categorical).companions_of(categorical)]
    assert names == ["x__probabilities"]


def test_an_array_that_does_not_fit_is_described_with_all_that_is_wanted():
    (exact,) = (check for check in CHECKS if check.kind == "exact")
    with pytest.raises(MeasurementError) as caught:
        kinds.reduce(exact, {"x": np.zeros(3), "x__scale": np.zeros(2)})
    assert "x (float64, (3,)), x__scale (float64, (2,))" in caught.value.message
    assert "'x': " in caught.value.remedy
    assert "'x__scale': " in caught.value.remedy


def test_what_cannot_be_decided_is_refused_for_the_reference():
    (prop,) = (check for check in CHECKS if check.kind == "property")
    kinds.require(prop, {"x": np.ones(2, dtype=bool)})
    kinds.require(prop, {"x": np.zeros(2, dtype=bool)})  # a FAIL is for `verify` to complain of
    with pytest.raises(MeasurementError, match="x has no entry"):
        kinds.require(prop, {"x": np.ones(0, dtype=bool)})


SIGNATURES = {
    "moments": ["a", "moments", "x", "mean"],
    "distribution": ["a", "distribution", "x", "categorical", 3, "revision 2"],
    "independence": ["a", "independence", "x", "revision 2"],
    "likelihood": ["a", "likelihood", "x", "images"],
}


@EVERY_CHECK
def test_signatures_are_those_of_the_stored_trials(check):
    assert kinds.signature(check) == SIGNATURES.get(check.kind, ["a", check.kind, "x"])


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("exact", {"metric": "y"}),
        ("exact", {"id": "b"}),
        ("moments", {"statistic": "variance"}),
        ("distribution", {"categories": 4}),
    ],
)
def test_a_signature_tells_what_shapes_the_statistics(kind, change):
    (check,) = (check for check in CHECKS if check.kind == kind)
    assert kinds.signature(check.model_copy(update=change)) != kinds.signature(check)


def test_a_signature_tells_no_threshold():
    (check,) = (check for check in CHECKS if check.kind == "unbiased")
    tighter = check.model_copy(update={"stage_alpha": 1e-4, "points": 3.0})
    assert kinds.signature(tighter) == kinds.signature(check)


@pytest.mark.parametrize("name", TASKS)
def test_shipped_tasks_return_only_companions_that_are_declared(name):
    task = load_task(ROOT / "tasks" / name, None)
    declared = {
        companion.name(check.metric)
        for check in task.spec.checks
        for companion in kinds.of(check).companions_of(check)
    }
    suffixes = {companion.suffix for kind in kinds.KINDS for companion in kind.companions}
    for text in returned_names(task.measure):
        metric, _, suffix = text.rpartition("__")
        assert text in declared or (not metric and suffix in suffixes), text


def returned_names(source):
    """Every text of measure.py that holds ``__``; of f-strings what follows the metric's name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if "__" in node.value and node.value != "__" and " " not in node.value:
                yield node.value


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.name)
def test_what_is_not_stored_of_a_program_is_never_read_of_it(kind):
    """A decision names what it reads; ``own["scale"]`` of a kind that does not store it is none."""
    tree = ast.parse(inspect.getsource(sys.modules[kind.decide.__module__]))
    read = {
        node.slice.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and re.search(r"\bown(\[.*\])?$", ast.unparse(node.value))
    }
    assert not read & set(kind.of_reference)


WHOLE = {
    "exact": {"x": np.arange(3.0), "x__scale": np.ones(3)},
    "moments": {"x": np.arange(4.0)[:, None], "x__weight": np.full(4, 0.25)},
    "likelihood": {"x": np.ones(3), "x__floor": np.ones(3), "x__scale": np.ones(3)},
}


@pytest.mark.parametrize(
    "check", [check for check in CHECKS if kinds.of(check).of_reference], ids=lambda c: c.kind
)
@pytest.mark.parametrize("error", [0.0, 1e-17, 3.0, np.nan])
def test_a_decision_is_the_same_without_what_is_not_stored(check, error):
    metrics = WHOLE[check.kind]
    reference = kinds.reduce(check, metrics)
    whole = kinds.reduce(check, {**metrics, "x": metrics["x"] + error})
    judged = kinds.of(check).judged(whole)
    assert set(whole) - set(judged) == set(kinds.of(check).of_reference)
    outcomes = [kinds.decide(check, [kinds.Evidence(own, reference)]) for own in (whole, judged)]
    assert repr(outcomes[0]) == repr(outcomes[1])
    assert outcomes[0].status == ("PASS" if error < 1 else "FAIL")
