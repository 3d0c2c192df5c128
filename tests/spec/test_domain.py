"""The domain of a task: what is drawn from it, what is shown of it, what `verify` objects to."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SpecError
from harness.proving.measurements import measured
from harness.proving.reach import Seen
from harness.spec.instances import DomainError, FreshGenerator, GivenFunction, Instances
from harness.spec.load import LoadedTask, load_task
from harness.spec.statement import in_words, rendered

STARTER = """\
from collections.abc import Callable
import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor


def scaled(x: Float64[Tensor, "b k"], scale: float) -> Float64[Tensor, "b k"]:
    raise NotImplementedError


def mixed(
    f: Callable[[Float64[Tensor, " b"]], Float64[Tensor, " b"]],
    p: Float64[Tensor, "b k"],
    one: Float64[Tensor, "b k"],
    chosen: Int64[Tensor, " b"],
    running: Bool[Tensor, "b k"],
    over: Bool[Tensor, " b"],
    part: int,
    m: int,
    eps: Float64[Tensor, "m k"],
    generator: torch.Generator,
) -> Float64[Tensor, "m k"]:
    raise NotImplementedError
"""
GIVEN = """\
from jaxtyping import Float64
from torch import Tensor


def shifted(x: Float64[Tensor, " b"], shift: Float64[Tensor, " k"]) -> Float64[Tensor, " b"]:
    return x + shift.sum()
"""
SOLUTION = STARTER.replace("raise NotImplementedError", "return scale * x", 1).replace(
    "raise NotImplementedError", "return f(p[:, 0]).sum() + eps"
)
SPEC = """\
id: small
version: 1
draw: 1
title: Scaled
lecture: [{document: S1, slide: "1"}]
tier: exact
domain:
  sizes:
    b: {most: 5}
    k: {least: 2, most: 3}
    m: {most: 4}
  values:
    x: {least: -1, most: 7, also: [0.5, "-inf"]}
    scale: {least: 1e-3, most: 1e3, log: true, meaning: a factor}
    f: {law: functions, names: [shifted]}
    shift: {least: 0, most: 0.25}
    p: {law: simplex}
    one: {law: one-hot}
    chosen: {law: index, below: k}
    running: {law: prefix}
    over: {law: bits}
    part: {law: divisor, of: b}
    eps: {law: normal}
measurements:
  standard: {}
checks:
  - {id: asked, measurement: standard, metric: y, kind: exact, against: reference, points: 1}
"""
MISTAKES = "mistakes:\n" + "".join(
    f"  - {{name: {name}, check: asked, hint: it is off by a factor, file: {name}.py}}\n"
    for name in ("half", "same", "thrice")
)
MEASURE = """\
import numpy as np


def standard(student, rng):
    {body}
    return {{"y": y, "y__scale": np.abs(y)}}
"""
ALL = """\
parts = []
    for b, k in ((1, 2), (5, 3)):
        for scale in (1e-3, 1e3):
            x = student.domain.draw(rng, "x", b, k)
            x[np.isinf(x)] = 0.0
            parts.append(student.scaled(x, scale).ravel())
    y = np.concatenate(parts)"""


def unreached(task: LoadedTask) -> list[str]:
    """What is said of a domain after the measurements of its task."""
    seen = Seen(task)
    measured(task, seen)
    return list(seen.complaints())


def small(folder: Path, body: str = ALL, **changes: str) -> LoadedTask:
    """The task above; ``changes`` replaces one text of its spec by another: old=new."""
    spec = SPEC
    for old, new in changes.values():
        assert old in spec
        spec = spec.replace(old, new)
    task, reference = folder / "small", folder / "reference"
    for path, content in {
        task / "task.yaml": spec,
        task / "starter.py": STARTER,
        task / "given.py": GIVEN,
        task / "measure.py": textwrap.dedent(MEASURE.format(body=body)),
        task / "README.md": "# Scaled\n\n<!-- domain -->\n<!-- /domain -->\n",
        reference / "solution.py": SOLUTION,
        reference / "variants/one.py": SOLUTION,
        reference / "variants/two.py": SOLUTION,
        reference / "mistakes.yaml": MISTAKES,
        **{
            reference / f"{name}.py": SOLUTION.replace("scale * x", f"{factor} * x")
            for name, factor in (("half", 0.5), ("same", 1), ("thrice", 3))
        },
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return load_task(task, reference)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> LoadedTask:
    return small(tmp_path_factory.mktemp("domain"))


@given(seed=st.integers(0, 2**32), b=st.integers(1, 5), k=st.integers(2, 3))
def test_every_edge_is_among_the_draws_wherever_there_is_room(
    task: LoadedTask, seed: int, b: int, k: int
) -> None:
    x = task.instances.draw(np.random.default_rng(seed), "x", b, k)
    edges = {-1.0, 7.0, 0.5, -np.inf}
    assert x.shape == (b, k)
    assert len(edges & set(x.ravel())) == min(4, b * k)
    assert ((x >= -1) & (x <= 7) | np.isneginf(x)).all()


@given(seed=st.integers(0, 2**32))
def test_arguments_fit_their_signature_and_their_laws(task: LoadedTask, seed: int) -> None:
    signature = task.contract.functions["mixed"]
    drawn: dict[str, Any] = task.instances.arguments(signature, np.random.default_rng(seed))
    b, k = drawn["p"].shape
    assert list(drawn) == [param.name for param in signature.params]
    assert 1 <= b <= 5
    assert 2 <= k <= 3
    assert np.allclose(drawn["p"].sum(axis=1), 1)
    assert (drawn["p"] >= 0).all()
    assert np.array_equal(np.sort(drawn["one"], axis=1), np.tile(np.eye(k)[-1], (b, 1)))
    assert drawn["chosen"].dtype == np.int64
    assert ((drawn["chosen"] >= 0) & (drawn["chosen"] < k)).all()
    assert drawn["running"].dtype == np.bool_
    assert drawn["running"][:, 0].all()
    assert (np.diff(drawn["running"].astype(int), axis=1) <= 0).all()
    assert b % drawn["part"] == 0
    assert drawn["eps"].shape == (drawn["m"], k)
    assert drawn["generator"] == FreshGenerator()
    function = drawn["f"]
    assert isinstance(function, GivenFunction)
    assert function.name == "shifted"
    assert function.parameters[0].shape == (k,)
    assert ((function.parameters[0] >= 0) & (function.parameters[0] <= 0.25)).all()


RARE = ("p: {law: simplex}", "p: {law: simplex, least: 1e-9}")
LOGARITHMS = ("p: {law: simplex}", "p: {law: log-simplex, least: -40}")
ANY_LOGARITHMS = ("p: {law: simplex}", "p: {law: log-simplex}")
UNLESS = ("p: {law: simplex}", "p: {law: simplex, unless: over}")
SOME = ("over: {law: bits}", "over: {law: bits, some: true}")


@pytest.mark.parametrize(
    ("change", "least"), [(RARE, 1e-9), (LOGARITHMS, -40.0), (ANY_LOGARITHMS, -np.inf)]
)
def test_probabilities_and_their_logarithms_hold_the_smallest(
    tmp_path: Path, change: tuple[str, str], least: float
) -> None:
    instances, rng = small(tmp_path, one=change).instances, np.random.default_rng(1)
    for shape in ((4, 3), (1, 2), (3,)):
        drawn = instances.draw(rng, "p", *shape)
        assert (drawn >= least).all()
        assert (drawn == least).any()
        p = drawn if change == RARE else np.exp(drawn)
        assert np.allclose(p.sum(-1), 1, rtol=0, atol=1e-12)
    assert instances.draw(rng, "p", 2, 1) == pytest.approx(float(change == RARE))


def test_probabilities_from_zero_are_drawn_and_digested_as_before(task: LoadedTask) -> None:
    rng = np.random.default_rng(5)
    weights = rng.exponential(size=(30, 3))
    chosen = np.flatnonzero(rng.random(30) < 1 / 3)
    weights[chosen, rng.integers(0, 3, chosen.size)] = 0.0
    drawn = task.instances.draw(np.random.default_rng(5), "p", 30, 3)
    assert np.array_equal(drawn, weights / weights.sum(axis=1, keepdims=True))
    assert (drawn == 0).any()
    assert task.spec.domain is not None
    assert task.spec.domain.model_dump(mode="json")["values"]["p"] == {"law": "simplex"}


def test_where_rows_are_excepted_they_hold_anything(tmp_path: Path) -> None:
    task = small(tmp_path, one=UNLESS)
    signature, rng = task.contract.functions["mixed"], np.random.default_rng(1)
    seen = []
    for _ in range(40):
        drawn = task.instances.arguments(signature, rng)
        excepted = drawn["over"]
        assert np.allclose(drawn["p"][~excepted].sum(-1), 1)
        seen.append(drawn["p"][excepted])
    rows = np.concatenate([row.ravel() for row in seen])
    assert rows.min() < 0
    assert rows.max() > 1
    assert (rows == 0).any()


def test_along_every_last_axis_some_bit_is_one(tmp_path: Path) -> None:
    task, other = small(tmp_path / "some", one=SOME), small(tmp_path / "any")
    for shape in ((1,), (3,), (40, 1), (40, 2)):
        drawn = task.instances.draw(np.random.default_rng(2), "over", *shape)
        usual = other.instances.draw(np.random.default_rng(2), "over", *shape)
        empty = ~usual.any(axis=-1)
        assert (drawn[empty].sum(axis=-1) == 1).all()
        assert np.array_equal(drawn[~empty], usual[~empty])
    assert empty.any()
    assert set(drawn[empty].argmax(axis=-1)) == {0, 1}
    assert "| `over` | 0 or 1; 1 at least once along the last axis |" in rendered(
        "<!-- domain -->\n<!-- /domain -->\n", task
    )
    assert other.spec.domain is not None
    assert other.spec.domain.model_dump(mode="json")["values"]["over"] == {"law": "bits"}


def test_arguments_of_another_call_may_stand_alone_in_a_call(tmp_path: Path) -> None:
    task = small(tmp_path, one=UNLESS)
    signature, rng = task.contract.functions["mixed"], np.random.default_rng(3)
    met = set()
    for _ in range(40):
        first, second = (
            task.instances.arguments(signature, rng, sizes={"b": 3, "k": 2}) for _ in range(2)
        )
        taken = task.instances.exchangeable("mixed", first, second)
        for alone in ("p", "over"):
            call = {**first, alone: taken[alone]}
            assert np.allclose(call["p"][~call["over"]].sum(-1), 1)
            assert (call["p"][~call["over"]] >= 0).all()
        both = ~first["over"] & ~second["over"]
        assert np.array_equal(taken["p"][both], second["p"][both])
        assert np.array_equal(taken["eps"], second["eps"])
        met |= set(zip(first["over"].tolist(), second["over"].tolist(), strict=True))
    assert len(met) == 4


def test_a_call_ends_as_another_one_in_what_has_rows(task: LoadedTask) -> None:
    first = np.arange(6.0).reshape(3, 2), np.arange(3.0), np.zeros((2, 2)), np.ones((1, 2)), 1.0
    second = -first[0], -10 - first[1], np.ones((3, 2)), np.zeros((1, 2)), 2.0
    rows, vector, other, single, number = task.instances.last_alike(first, second)
    assert rows.tolist() == [[0, -1], [-2, -3], [4, 5]]
    assert vector.tolist() == [-10, -11, 2]
    assert other.tolist() == second[2].tolist()
    assert single.tolist() == second[3].tolist()
    assert number == 2.0


def test_probabilities_do_not_end_alike(task: LoadedTask) -> None:
    pair = np.array([0.5, 0.25, 0.25]), np.array([0.2, 0.0, 0.8])
    (found,) = task.instances.last_alike(pair[:1], pair[1:])
    assert found.tolist() == [0.2, 0.0, 0.8]


def test_replaced_arrays_may_begin_alike_along_every_axis(task: LoadedTask) -> None:
    first = np.arange(6.0).reshape(3, 2), np.arange(2.0), 1.0
    second = -10 - first[0], -10 - first[1], 2.0
    rows, pair = [[0, 1], [2, -13], [4, 5]], [0, -11]
    calls = [
        [np.asarray(part).tolist() for part in call]
        for call in task.instances.replaced(first, second, alike="axes")
    ]
    zero, one = first[0].tolist(), first[1].tolist()
    assert calls == [[zero, one, 1.0], [rows, one, 1.0], [rows, pair, 1.0], [rows, pair, 2.0]]


def test_an_index_may_go_up_to_a_product_of_sizes(tmp_path: Path) -> None:
    task = small(tmp_path, one=("below: k", "below: b * k"))
    signature, rng = task.contract.functions["mixed"], np.random.default_rng(2)
    seen: set[int] = set()
    for _ in range(60):
        drawn = task.instances.arguments(signature, rng, sizes={"b": 5, "k": 3})
        seen |= set(drawn["chosen"].tolist())
    assert seen == set(range(15))
    text = rendered("<!-- domain -->\n<!-- /domain -->\n", task)
    assert "whole numbers from 0 to b · k − 1" in text


def test_all_sizes_and_single_numbers_at_their_edges_come_up(task: LoadedTask) -> None:
    rng = np.random.default_rng(1)
    signature = task.contract.functions["scaled"]
    drawn = [task.instances.arguments(signature, rng) for _ in range(300)]
    assert {each["x"].shape for each in drawn} == {(b, k) for b in range(1, 6) for k in (2, 3)}
    scales = [each["scale"] for each in drawn]
    assert {1e-3, 1e3} <= set(scales)
    assert 0.2 < np.mean([1e-3 < scale < 1e3 for scale in scales]) < 0.8
    assert all(1e-3 <= scale <= 1e3 for scale in scales)


LARGER = ("b: {most: 5}", "b: {least: 3, most: 5, above: k}")
AS_LARGE = ("b: {most: 5}", "b: {least: 2, most: 5, at_least: k}")


@pytest.mark.parametrize(("change", "gap"), [(LARGER, 1), (AS_LARGE, 0)])
def test_sizes_that_are_related_are_drawn_so_and_equality_comes_up(
    tmp_path: Path, change: tuple[str, str], gap: int
) -> None:
    task = small(tmp_path, one=change)
    rng = np.random.default_rng(1)
    for name, argument in (("scaled", "x"), ("mixed", "p")):
        signature = task.contract.functions[name]
        drawn = [task.instances.arguments(signature, rng)[argument].shape for _ in range(300)]
        assert set(drawn) == {(b, k) for k in (2, 3) for b in range(k + gap, 6)}


def test_a_size_is_drawn_beside_the_one_that_it_depends_on(tmp_path: Path) -> None:
    instances = small(tmp_path, one=LARGER).instances
    rng = np.random.default_rng(1)
    assert {instances.size(rng, "b", k=3) for _ in range(100)} == {4, 5}
    assert {instances.size(rng, "k", b=3) for _ in range(100)} == {2}
    assert instances.sizes("b") == (3, 5)
    with pytest.raises(DomainError, match=r"b depends on k: write size\(rng, 'b', k=…\)"):
        instances.size(rng, "b")
    with pytest.raises(DomainError, match="k = 5 leaves no size to b"):
        instances.size(rng, "b", k=5)
    signature = small(tmp_path / "again", one=LARGER).contract.functions["scaled"]
    with pytest.raises(DomainError, match="leaves no size to k"):
        instances.arguments(signature, rng, sizes={"b": 2})


def test_a_relation_is_shown_and_its_edge_is_asked_for(tmp_path: Path) -> None:
    task = small(tmp_path, body="y = student.scaled(np.ones((5, 3)), 2.0)", one=LARGER)
    text = rendered("<!-- domain -->\n<!-- /domain -->\n", task)
    assert "| `b` | 3 to 5, larger than `k` |" in text
    said = "\n".join(unreached(task))
    assert "scaled is never called with b = k + 1 (let a measurement go there" in said
    as_large = small(tmp_path / "as", "y = student.scaled(np.ones((2, 3)), 2.0)", one=AS_LARGE)
    assert "| `b` | 2 to 5, not smaller than `k` |" in rendered(text, as_large)
    said = "\n".join(unreached(as_large))
    assert "scaled is called with b = 2 and k = 3, outside of it" in said
    assert "never called with b = k" in said


def test_a_domain_without_relations_is_digested_as_before(task: LoadedTask) -> None:
    assert task.spec.domain is not None
    assert task.spec.domain.model_dump(mode="json")["sizes"]["k"] == {"least": 2, "most": 3}


def test_what_the_domain_does_not_say_is_refused_with_what_to_add(task: LoadedTask) -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(DomainError, match=r"add domain\.values\.y to task\.yaml"):
        task.instances.draw(rng, "y", 3)
    with pytest.raises(DomainError, match=r"add domain\.sizes\.n to task\.yaml"):
        task.instances.sizes("n")


def test_from_call_to_call_one_argument_changes(task: LoadedTask) -> None:
    calls = task.instances.replaced((1, "a", 0.5), (2, "b", 0.25), (3, "c", 0.75))
    changed = [(2, "a", 0.5), (2, "b", 0.5), (2, "b", 0.25)]
    assert calls == [(1, "a", 0.5), *changed, (3, "c", 0.75)]


def test_arrays_that_are_replaced_begin_and_end_with_the_same_row(task: LoadedTask) -> None:
    old, new = np.zeros((3, 2)), np.ones((3, 2))
    first, second = (old, np.arange(2), 1.0), (new, np.arange(3, 5), 2.0)
    *_, last = task.instances.replaced(first, second)
    assert last[0].tolist() == [[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]
    assert last[1].tolist() == [0, 4]  # nothing new would be left
    assert last[2] == 2.0
    assert old.sum() == 0
    assert new.sum() == 6
    whole = task.instances.replaced(first, second, alike="nothing")
    assert whole[1][0] is new


@pytest.mark.parametrize("left_out", range(3))
def test_a_program_that_keeps_the_call_before_by_all_but_one_argument_is_noticed(
    task: LoadedTask, left_out: int
) -> None:
    rng = np.random.default_rng(4)
    pair = [(rng.normal(size=(4, 2)), rng.normal(size=5), rng.normal()) for _ in range(2)]
    kept: tuple[bytes, float] = b"", 0.0
    wrong = 0
    for call in task.instances.replaced(*pair):
        rest = b"".join(np.asarray(part).tobytes() for i, part in enumerate(call) if i != left_out)
        right = sum(float(np.sum(part)) for part in call)
        kept = kept if kept[0] == rest else (rest, right)
        wrong += kept[1] != right
    assert wrong == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([1.0], [2.0]),  # of one row
        ([1.0, 2.0], [3.0, 2.0]),  # nothing new would be left
        ([[1.0, 2.0]], [[3.0, 4.0]]),
        ([1.0, 2.0], [3.0]),
        (1.0, 2.0),
        ([0.5, 0.5], [0.25, 0.75]),  # probabilities
        ([1.0, 0.0, 0.0], [0.5, 0.25, 0.25]),
        ([0.5, 0.25, 0.25], [1.0, 0.0, 0.0]),
    ],
)
def test_what_cannot_begin_alike_is_as_it_is(task: LoadedTask, old: Any, new: Any) -> None:
    (found,) = task.instances.first_alike((np.array(old),), (np.array(new),))
    assert found.tolist() == new


def test_probabilities_that_begin_alike_sum_to_one(task: LoadedTask) -> None:
    old, new = np.array([0.5, 0.25, 0.25]), np.array([0.2, 0.0, 0.8])
    logarithms = np.log(old), np.log(np.array([0.2, 0.2, 0.6]))
    plain, logs = task.instances.first_alike((old, logarithms[0]), (new, logarithms[1]))
    assert plain.tolist() == [0.5, 0.0, 0.5]
    assert np.exp(logs) == pytest.approx([0.5, 0.125, 0.375])
    counts = np.array([1, 0, 0]), np.array([0, 1, 0])
    (numbers,) = task.instances.first_alike(counts[:1], counts[1:])
    assert numbers.tolist() == [1, 1, 0]


def test_arrays_may_begin_alike_along_every_axis(task: LoadedTask) -> None:
    old, new = np.zeros((3, 1, 2)), np.ones((3, 1, 2))
    mixed, single, number = task.instances.begun_alike(
        (old, old[:1, 0, :1], 1), (new, new[:1, 0, :1], 2)
    )
    assert number == 2
    assert single.tolist() == [[1.0]]
    assert mixed.tolist() == [[[0.0, 0.0]], [[0.0, 1.0]], [[0.0, 1.0]]]
    assert old.sum() == 0


def test_a_call_on_one_side_keeps_ranges_and_differences(task: LoadedTask) -> None:
    x = np.array([[-4.0, 0.0, 1.0], [2.0, -0.5, 8.0]])
    flags, kept = np.array([True, False]), (np.array([0.5, 3.0]), np.arange(3), 0.7)
    below, above, true = task.instances.one_sided((x, flags, *kept))
    assert below[0].tolist() == [[-4.0, -4 / 3, -0.45], [-0.9, -0.5, -3.6]]
    assert above[0].tolist() == [[7.2, 8 / 3, 1.0], [2.0, 0.9, 8.0]]
    assert true[1].tolist() == [True, True]
    assert true[0] is x
    assert below[1] is flags
    for call in (below, above, true):
        assert all(new is old for new, old in zip(call[2:], kept, strict=True))


def test_a_call_that_is_on_one_side_has_no_others(task: LoadedTask) -> None:
    infinite = np.array([-np.inf, 1.0])
    assert task.instances.one_sided((np.ones(2), np.ones(1, dtype=bool), infinite, 1)) == []


@given(st.integers(0, 2**32 - 1), st.sampled_from([(1, 2), (7,), (3, 4), (2, 1, 5)]))
def test_no_number_leaves_its_range_on_one_side(seed: int, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(seed).normal(size=shape)
    for new in Instances.one_sided((x,)):
        assert x.min() <= new[0].min()
        assert new[0].max() <= x.max()
        assert (new[0] < 0).all() or (new[0] > 0).all()
        assert np.unique(new[0]).size == x.size


@pytest.mark.parametrize("second", [(1,), (1, 2, 3)])
def test_calls_of_different_functions_lend_each_other_no_argument(
    task: LoadedTask, second: tuple[int, ...]
) -> None:
    with pytest.raises(DomainError, match=f"2 arguments and the other {len(second)}"):
        task.instances.replaced((1, 2), second)


def test_the_statement_shows_the_domain(task: LoadedTask) -> None:
    text = rendered("before\n<!-- domain -->\nold\n<!-- /domain -->\nafter\n", task)
    assert text.startswith("before\n<!-- domain -->\n| size or argument | from all of |\n")
    assert text.endswith("\n<!-- /domain -->\nafter\n")
    assert "| `k` | 2 to 3 |" in text
    assert "| `x` | −1 to 7, also 0.5, −∞ |" in text
    assert "| `scale` | 0.001 to 1000 (a factor) |" in text
    assert "| `part` | a divisor of b, from 1 to b itself |" in text
    assert rendered(text, task) == text


def test_every_law_has_words(task: LoadedTask) -> None:
    assert task.spec.domain is not None
    words = [in_words(law) for law in task.spec.domain.values.values()]
    assert len(set(words)) == len(words)


def test_the_words_of_probabilities_say_what_is_excepted(tmp_path: Path) -> None:
    said = {
        RARE: "probabilities, 1e−09 to 1; the last axis sums to 1",
        UNLESS: "0 among them; the last axis sums to 1; any finite numbers where `over` is true",
        LOGARITHMS: "logarithms of probabilities, −40 to 0; those of the last axis sum to 1",
        ANY_LOGARITHMS: "logarithms of probabilities, −∞ to 0; those of the last axis sum to 1",
    }
    for number, (change, words) in enumerate(said.items()):
        task = small(tmp_path / str(number), one=change)
        assert words in rendered("<!-- domain -->\n<!-- /domain -->\n", task)


@pytest.mark.parametrize("text", ["none", "<!-- domain -->\n", "<!-- /domain -->", "twice"])
def test_a_statement_without_one_place_for_the_domain_is_refused(
    task: LoadedTask, text: str
) -> None:
    if text == "twice":
        text = "<!-- domain -->\n<!-- /domain -->\n" * 2
    with pytest.raises(SpecError, match=r"README\.md:1:1: the place of the domain is not marked"):
        rendered(text, task)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("    b: {most: 5}", "    c: {most: 5}"), "no argument has an axis c"),
        (("    x: {", "    y: {"), "no function has an argument y"),
        (("    x: {", "    mixed.x: {"), "no function has an argument mixed.x"),
        (("below: k", "below: d"), "d has no sizes (add domain.sizes.d)"),
        (("below: k", "below: b * d"), "d has no sizes (add domain.sizes.d)"),
        (("names: [shifted]", "names: [shift]"), "given.py defines no shift"),
        (("{most: 4}", "{least: 5, most: 4}"), "`least` is larger than `most`"),
        (("least: 1e-3, most: 1e3", "least: 0, most: 1e3"), "a logarithm needs `least` above 0"),
        (("law: normal", "law: gauss"), "gauss"),
        (("b: {most: 5}", "b: {most: 5, above: b}"), "b is related to itself"),
        (("b: {most: 5}", "b: {most: 5, above: d}"), "d has no sizes (add domain.sizes.d)"),
        (("b: {most: 5}", "b: {most: 5, above: k}"), "b is never 1: b > k, which is 2 or more"),
        (("b: {most: 5}", "b: {least: 2, most: 2, at_least: k}"), "k is never 3: b >= k, which"),
        (("b: {most: 5}", "b: {most: 5, above: k, at_least: k}"), "exclude each other"),
        (
            ("{law: simplex}", "{law: simplex, least: 0.4}"),
            "3 probabilities of at least 0.4 do not",
        ),
        (("{law: simplex}", "{law: log-simplex, least: 0}"), "so is `least`"),
        (("{law: simplex}", "{law: simplex, unless: ended}"), "mixed has no argument ended with"),
        (("{law: simplex}", "{law: simplex, unless: running}"), "mixed has no argument running"),
        (
            (
                "scale: {least: 1e-3, most: 1e3, log: true, meaning: a factor}",
                "scale: {law: simplex}",
            ),
            "scaled.scale has no last axis",
        ),
        (
            (
                "b: {most: 5}\n    k: {least: 2, most: 3}",
                "b: {least: 3, most: 5, above: k}\n    k: {least: 2, most: 3, at_least: m}",
            ),
            "k, which b is related to, is related to another axis (relate b to m",
        ),
    ],
)
def test_a_domain_that_does_not_fit_is_refused_at_its_place(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    with pytest.raises(SpecError) as caught:
        small(tmp_path, one=change)
    assert message in str(caught.value)
    problem = caught.value.problems[0]
    assert Path(problem.file).name == "task.yaml"
    assert problem.line > 1


def test_an_edge_that_no_measurement_reaches_is_a_complaint(tmp_path: Path) -> None:
    assert unreached(small(tmp_path / "all")) == [
        f"{tmp_path / 'all/small/task.yaml'}: domain: scaled is never called with x = -inf "
        "(let a measurement go there, or narrow the domain)"
    ]
    body = "y = student.scaled(np.array([[2.0, 8.0]]), 2.0)"
    said = "\n".join(unreached(small(tmp_path / "one", body)))
    assert "scaled is never called with b = 5 (but with 1)" in said
    assert "never called with b = 1" not in said
    assert "scaled is never called with k = 3 (but with 2)" in said
    assert "scaled is never called with x = 7 (" in said
    assert "scaled is never called with scale = 1000 (" in said
    assert "scaled is called with x = 8, outside of it" in said
    assert "mixed" not in said


PROBABLE = """\
y = student.mixed(
        student.given("shifted", np.zeros(2)), np.array({p}), np.eye(2),
        np.zeros(2, dtype=np.int64), np.ones((2, 2), dtype=bool), np.array([False, True]),
        1, 1, np.zeros((1, 2)), student.generator(),
    )"""


@pytest.mark.parametrize(
    ("p", "change", "said"),
    [
        ("[[0.0, 1.0], [0.5, 0.5]]", ("k", "k"), ""),
        ("[[0.2, 0.8], [0.5, 0.5]]", ("k", "k"), "mixed is never called with p = 0"),
        ("[[0.0, 1.0], [0.5, 0.4]]", ("k", "k"), "p whose last axis sums to 0.9, outside"),
        ("[[0.0, 1.0], [-0.5, 1.5]]", ("k", "k"), "mixed is called with p = -0.5, outside of it"),
        ("[[0.0, 1.0], [np.nan, 1.5]]", ("k", "k"), "mixed is called with p = nan, outside of it"),
        ("[[0.0, 1.0], [3.0, -4.0]]", UNLESS, ""),
        ("[[0.5, 0.4], [3.0, -4.0]]", UNLESS, "p whose last axis sums to 0.9, outside"),
        ("[[0.5, 0.5], [0.0, 1.0]]", UNLESS, "mixed is never called with p = 0"),
        ("[[0.0, 1.0], [0.5, 0.5]]", RARE, "mixed is called with p = 0, outside of it"),
        ("[[1e-9, 1 - 1e-9], [0.5, 0.5]]", RARE, ""),
        ("[[-40.0, 0.0], np.log([0.5, 0.5])]", LOGARITHMS, ""),
        ("[[-41.0, 0.0], np.log([0.5, 0.5])]", LOGARITHMS, "mixed is called with p = -41, outside"),
        ("[[-1.0, -1.0], [-40.0, 0.0]]", LOGARITHMS, "sums to 0.735758882343, outside of it"),
        ("[[-np.inf, 0.0], np.log([0.5, 0.5])]", ANY_LOGARITHMS, ""),
        ("np.log([[0.5, 0.5], [0.5, 0.5]])", ANY_LOGARITHMS, "is never called with p = -inf"),
    ],
)
def test_verify_holds_calls_to_the_probabilities_of_the_domain(
    tmp_path: Path, p: str, change: tuple[str, str], said: str
) -> None:
    task = small(tmp_path, PROBABLE.format(p=p), one=change)
    found = [text for text in unreached(task) if " p " in text]
    assert bool(found) == bool(said)
    assert said in "".join(found)


@pytest.mark.parametrize(("over", "count"), [("[False, True]", 0), ("[False, False]", 1)])
def test_verify_holds_calls_to_what_must_be_true_somewhere(
    tmp_path: Path, over: str, count: int
) -> None:
    body = PROBABLE.format(p="[[0.0, 1.0], [0.5, 0.5]]").replace("[False, True]", over)
    said = unreached(small(tmp_path, body, one=SOME))
    text = "mixed is called with over in which nothing is true, outside of it (widen it)"
    assert sum(text in each for each in said) == count


def test_the_domain_is_part_of_what_an_observation_depends_on(tmp_path: Path) -> None:
    wider = small(tmp_path / "wider", one=("most: 7", "most: 8"))
    assert wider.protocol != small(tmp_path / "same").protocol
