"""Right numbers in a wrong form: every function and method of every task names what was asked for.

The answers have one axis too many or too few, are combined into a square, have another precision,
are no tensors, or come from a reseeded generator; nothing else is wrong.
"""

from __future__ import annotations

import re
from types import EllipsisType

import pytest

from harness.contract import ArrayType, EnvironmentType, ScalarType
from harness.mutation.deciding import BareObservations, decisions, measured_checks
from harness.seeds import PUBLIC_KEY
from tests.support.faults import callers, complaint, first_calls, spoilt, targets_of, trains
from tests.support.programs import TASKS, load

#: fault of a tensor -> (expression of x, pattern of the message)
OF_TENSORS = {
    "column": ("x.unsqueeze(-1)", r"expected .*, got .*squeeze axis \d, which has size 1"),
    "stacked": ("torch.stack([x, x, x])", r"expected .*, got \w+ of shape \[3.*"),
    "number": ("x.sum().item()", r"expected .*, got .*"),
    "array": ("x.detach().numpy()", r"is an? ndarray, expected a torch\.Tensor or a number"),
    "nothing": ("None", r"is None, expected a torch\.Tensor or a number"),
}
OF_FLOAT64 = {"single": ("x.float()", r"expected float64 .*, got float32 .*; compute in float64.*")}
OF_OTHERS = {
    "precision": ("x.half()", r"is a tensor of torch\.float16, expected .*|expected .*float16.*")
}
OF_VECTORS = {
    "row": ("x.unsqueeze(0)", r"expected .*, got .*squeeze axis \d, which has size 1.*"),
    "reduced": ("x[0]", r"expected .*, got .*"),
}
#: Faults that every result is tried with; the first one has all of them.
OF_EVERY_RESULT = {"column", "nothing", "single", "type"}
OF_BOUND = {
    "shorter": ("x[:-1]", r"expected .*, got .*"),
    "longer": ("torch.cat([x, x[:1]])", r"expected .*, got .*"),
}
OF_NUMBERS = {
    "nothing": ("None", r"is None, expected a torch\.Tensor or a number"),
    "tensor": ("torch.tensor(x)", r"expected .*, got .*"),
    "type": ("float(x) if type(x) is int else int(x)", r"expected .*, got .*"),
}

#: What is said instead of a function whose gradient is asked for before any of its values.
DIFFERENTIATED = r"returned .*, expected (one tensor to differentiate|torch\.\w+ of shape \[.*\])"
#: What programs do to a generator that they were given, as an expression of all arguments, and what
#: is said of it.
RESEEDING = {
    "another": ("(*args[:-1], torch.Generator().manual_seed(0))", "reseeds"),
    "the same": ("(*args[:-1], args[-1].manual_seed(0))", "reseeds"),
    "of its seed": (
        "(*args[:-1], torch.Generator().manual_seed(args[-1].initial_seed()))",
        "draw from the generator given itself",
    ),
}


def faults(target, index):
    """The faults that result ``index`` of a target can have."""
    match target.results[index]:
        case ArrayType(dtypes=dtypes, dims=dims):
            yield from OF_TENSORS.items()
            yield from (OF_FLOAT64 if dtypes == ("float64",) else OF_OTHERS).items()
            if dims and not isinstance(dims[0], EllipsisType):
                yield from OF_VECTORS.items()
                if isinstance(dims[0], int) or dims[0] in target.bound(index):
                    yield from OF_BOUND.items()
        case ScalarType():
            yield from OF_NUMBERS.items()


TARGETS = [target for name in TASKS for target in targets_of(name)]
#: The solution calls these itself, and breaks on a spoilt answer before anybody looks at it.
USED_INSIDE = {"dqn-target-loss-Learner.target_values"}
LOOKED_AT = [target for target in TARGETS if str(target) not in USED_INSIDE]
CASES = [
    pytest.param(target, index, *fault, id=f"{target}-{index + 1}-{name}")
    for target in LOOKED_AT
    for index in range(len(target.results))
    for name, fault in faults(target, index)
    if index == 0 or name in OF_EVERY_RESULT
]
#: Tasks whose first calls have one row: of its square another thing is said, and rightly.
ONE_ROW = {"grad-variance", "px-chain-nll"}
SQUARES = [
    target
    for target in TARGETS
    if target.task not in ONE_ROW
    and isinstance(target.results[0], ArrayType)
    and len(target.results[0].dims) == 1
    and isinstance(target.results[0].dims[0], str)
]


@pytest.mark.parametrize(("target", "index", "expression", "pattern"), CASES)
def test_an_answer_in_a_wrong_form_is_told_what_was_asked_for(target, index, expression, pattern):
    cause, message = complaint(target, f"({expression}) if i == {index} else x")
    assert cause == "bad-output"
    count = len(target.results)
    which = f"result {index + 1} of {count}" if count > 1 else "the result"
    name = target.signature.name
    called = rf"{name}: ({which}:? )?({pattern})"
    assert re.fullmatch(rf"{called}|{DIFFERENTIATED}", message), message


def free_axes(target):
    """Of every axis that no argument of the call determines: its places in each result."""
    dims = {i: each.dims for i, each in enumerate(target.results) if isinstance(each, ArrayType)}
    names = {dim for each in dims.values() for dim in each if isinstance(dim, str)}
    for name in sorted(names - target.bound(0)):
        yield {i: [d for d, dim in enumerate(each) if dim == name] for i, each in dims.items()}


@pytest.mark.parametrize(
    ("target", "places"),
    [
        pytest.param(target, each, id=f"{target}-{each}")
        for target in LOOKED_AT
        for each in free_axes(target)
    ],
)
def test_an_axis_that_no_argument_determines_is_never_our_fault(target, places):
    task = load(target.task)
    one_more = "lambda a, d: torch.cat([a, a.narrow(d, 0, 1)], d)"
    spoil = f"_functools.reduce({one_more}, {places!r}.get(i, ()), x)"
    program, calling = spoilt(task, (target,), spoil), callers(target.task)[target.path]
    checks = [check for check in measured_checks(task) if check.measurement in calling]
    with BareObservations(task, PUBLIC_KEY) as seen:
        found = [decision for _, decision in decisions(task, program, checks, seen)]
    statuses = [decision.status for decision in found]
    assert "UNGRADABLE" not in statuses, [decision.message for decision in found]
    assert {"FAIL", "ERROR"} & set(statuses)


@pytest.mark.parametrize("target", LOOKED_AT, ids=str)
def test_another_number_of_results_is_told_how_many_were_asked_for(target):
    count = len(target.results)
    fewer = complaint(target, f"LEFT_OUT if i == {count - 1} else x") if count > 1 else None
    more = complaint(target, f"(x, x) if i == {count - 1} else x") if count == 1 else None
    cause, message = fewer or more
    assert cause == "bad-output"
    name, got = target.signature.name, count - 1 if fewer else 2
    called = rf"{name}: expected {count} results? .*, got {got}"
    assert re.fullmatch(rf"{called}|{DIFFERENTIATED}", message), message


@pytest.mark.parametrize("target", [item for item in TARGETS if item.takes_generator], ids=str)
@pytest.mark.parametrize("habit", RESEEDING)
def test_reseeding_inside_is_an_error_of_its_own(target, habit):
    if trains(load(target.task), first_calls(target.task)[target.path]):
        pytest.skip("trained once a seed: there is no second answer to compare with")
    if any(isinstance(param.type, EnvironmentType) for param in target.signature.params):
        pytest.skip("it plays: whether the generator decides is a check of its own")
    prepare, words = RESEEDING[habit]
    cause, message = complaint(target, prepare=prepare)
    assert cause == "reseeded"
    assert words in message


@pytest.mark.parametrize("target", SQUARES, ids=str)
def test_a_column_combined_with_a_row_is_told_of_the_square(target):
    cause, message = complaint(target, "x[:, None] + 0 * x if i == 0 else x")
    assert cause == "bad-output"
    assert message.startswith(f"{target.signature.name}: ")
    assert "were [b] and [b, 1] combined into [b, b]?" in message
