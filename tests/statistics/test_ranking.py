"""Simultaneous comparisons: familywise level, agreement with scipy, rank intervals, letters."""

import csv
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from harness.statistics.ranking import (
    Comparisons,
    least_seeds,
    letters,
    rank_intervals,
    sign_flips,
    simultaneous,
)


def compare(matrix: np.ndarray, paired: bool = True) -> Comparisons:
    """Submissions are columns, seeds rows."""
    return simultaneous(list(matrix.T), paired=paired)


def relation(means: list[float], different: set[tuple[int, int]]) -> Comparisons:
    """Comparisons that came out in this way."""
    p_values = np.ones((len(means), len(means)))
    for one, other in different:
        p_values[one, other] = p_values[other, one] = 0.0
    return Comparisons(np.array(means, dtype=float), p_values, 0.05, 10)


def separated(comparisons: Comparisons) -> set[tuple[int, int]]:
    return {(int(i), int(j)) for i, j in np.argwhere(comparisons.better)}


# ------------------------------------------------------------------ sign flips


@pytest.mark.parametrize("seeds", [1, 2, 6, 11, 12, 13, 20, 31])
def test_flips_are_a_group_of_different_signs(seeds: int) -> None:
    signs = sign_flips(seeds)
    flips = {tuple(row) for row in signs.tolist()}
    assert len(signs) == len(flips) == 2 ** (min(seeds, 11) - 1)
    assert signs[0].tolist() == [1.0] * seeds
    assert set(np.unique(signs)) <= {-1.0, 1.0}
    for row in signs[:: max(1, len(signs) // 40)]:
        assert {tuple(other) for other in (signs * row).tolist()} == flips


def test_any_five_signs_are_independent() -> None:
    # The overall sign is free, so odd products vanish; of even ones, of two and four, it is shown.
    columns = sign_flips(31).T
    pairs = {tuple(columns[i] * columns[j]) for i, j in itertools.combinations(range(31), 2)}
    assert len(pairs) == 31 * 30 // 2
    assert tuple(columns[0] * columns[0]) not in pairs
    sums = [np.sum(pair) for pair in pairs]
    assert sums == [0.0] * len(pairs)


def test_seeds_a_period_apart_share_a_sign() -> None:
    signs = sign_flips(70)
    np.testing.assert_array_equal(signs[:, 31:62], signs[:, :31])
    np.testing.assert_array_equal(signs[:, 62:], signs[:, :8])


# --------------------------------------------------------------- paired values


def by_hand(matrix: np.ndarray) -> np.ndarray:
    """Step-down p-values by their definition: all flips, one set of remaining pairs a time."""
    seeds, count = matrix.shape
    pairs = list(itertools.combinations(range(count), 2))
    flips = np.array(list(itertools.product([1.0, -1.0], repeat=seeds)))
    spans = {(i, j): np.abs(flips @ (matrix[:, i] - matrix[:, j])) for i, j in pairs}
    result, so_far = np.ones((count, count)), 0.0
    while pairs:
        worst = max(pairs, key=lambda pair: spans[pair][0])
        largest = np.max([spans[pair] for pair in pairs], axis=0)
        so_far = max(so_far, float((largest >= spans[worst][0] - 1e-12).mean()))
        result[worst] = result[worst[::-1]] = so_far
        pairs.remove(worst)
    return result


def test_p_values_by_their_definition() -> None:
    rng = np.random.default_rng(60)
    for seeds in (2, 6, 9):
        matrix = rng.standard_normal((seeds, 6)) * [0.1, 1, 2, 0.5, 1, 0.1] + [0, 0, 1, 1, 3, 5]
        seen = compare(matrix)
        np.testing.assert_array_equal(seen.p_values, by_hand(matrix))
        np.testing.assert_allclose(seen.means, matrix.mean(axis=0), rtol=1e-14)
        assert (seen.seeds, seen.alpha) == (seeds, 0.05)


def test_two_submissions_agree_with_scipy() -> None:
    rng = np.random.default_rng(61)
    for _ in range(5):
        matrix = rng.normal([0.0, 0.7], 1.0, (9, 2))
        wanted = stats.permutation_test(
            (matrix[:, 0] - matrix[:, 1],), np.mean, permutation_type="samples", n_resamples=np.inf
        )
        assert compare(matrix).p_values[0, 1] == wanted.pvalue


SPREADS = np.geomspace(0.1, 2.0, 6)


# Exact for normal values: of 512 (1,024) flips the 25 (51) most extreme are at most 5 %.
@pytest.mark.parametrize(("seeds", "size"), [(6, 1 / 32), (10, 25 / 512), (20, 51 / 1024)])
@pytest.mark.parametrize("common", [0.0, 0.9])
def test_size_is_exact_for_normal_values(sim: Any, seeds: int, size: float, common: float) -> None:
    rng = np.random.default_rng(62)

    def claims() -> bool:
        matrix = SPREADS * (common * rng.standard_normal((seeds, 1)) + rng.normal(size=(seeds, 6)))
        return bool(compare(matrix).better.any())

    assert sim.rejections(800, claims) in sim.band(800, size)


def test_size_where_some_differ(sim: Any) -> None:
    rng = np.random.default_rng(63)
    means = np.repeat([0.0, 3.0, 6.0], 3)
    equal = means[:, None] == means[None, :]
    found = 0

    def claims() -> bool:
        nonlocal found
        better = compare(rng.standard_normal((12, 9)) + means).better
        found += int(better.sum())
        return bool(better[equal].any())

    assert sim.rejections(500, claims) in sim.band(500, 0.0, 0.05)
    assert found > 0.95 * 27 * 500


@pytest.mark.slow
@pytest.mark.parametrize("law", ["skewed", "bimodal"])
@pytest.mark.parametrize("common", [0.0, 0.8])
@pytest.mark.parametrize("seeds", [6, 10, 20, 30])
def test_size_of_other_laws(sim: Any, law: str, common: float, seeds: int) -> None:
    rng = np.random.default_rng(64)

    def claims() -> bool:
        normal = np.sqrt(common) * rng.normal(size=(seeds, 1))
        u = special.ndtr(normal + np.sqrt(1 - common) * rng.normal(size=(seeds, 20)))
        noise = rng.normal(size=u.shape)
        matrix = np.log(u) if law == "skewed" else np.where(u < 0.3, 0.0, 1.0) + 0.1 * noise
        return bool(compare(matrix).better.any())

    assert sim.rejections(600, claims) in sim.band(600, 0.0, 0.055)


PLOT = Path(__file__).parents[2] / "docs" / "plots" / "ranking.csv"
HARD = [("exponential", 10), ("exponential", 20), ("lognormal", 10), ("rare", 10)]


def difficulty(rng: np.random.Generator, law: str, seeds: int) -> np.ndarray:
    """Skewed difficulty of seeds, with the mean 0."""
    if law == "rare":
        return np.where(rng.random(seeds) < 0.15, -0.85, 0.15)
    drawn = rng.exponential(size=seeds) if law == "exponential" else rng.lognormal(size=seeds)
    return drawn - (1.0 if law == "exponential" else np.exp(0.5))


@pytest.mark.slow
@pytest.mark.parametrize(("law", "seeds"), HARD)
def test_the_error_that_is_said_is_the_error_that_there_is(law: str, seeds: int) -> None:
    """Fresh leaderboards against the counts behind docs/statistics.md, by Fisher's exact test."""
    with PLOT.open(encoding="utf-8", newline="") as stream:
        rows = {row["series"]: row for row in csv.DictReader(stream) if row["panel"] == "size"}
    said = rows[f"{law} difficulty, {seeds} seeds"]
    events, total = int(said["events"]), int(said["repetitions"])
    rng, boards, gains = np.random.default_rng([69, seeds]), 2000, np.linspace(0.2, 2, 20)
    found = sum(
        bool(compare(np.outer(difficulty(rng, law, seeds), gains)).better.any())
        for _ in range(boards)
    )
    table = [[found, boards - found], [events, total - events]]
    assert stats.fisher_exact(table).pvalue > 1e-3
    assert found / boards > 0.06  # it is not the nominal level, and the page must not say so


def test_common_seeds_narrow_the_ranks() -> None:
    rng = np.random.default_rng(65)
    noise = 2 * rng.standard_normal((10, 1)) + 0.5 * rng.standard_normal((10, 12))
    matrix = np.linspace(0, 4, 12) + noise
    widths = []
    for paired in (True, False):
        lo, hi = rank_intervals(compare(matrix, paired))
        widths.append(float((hi - lo + 1).mean()))
    assert widths[0] < 6
    assert widths[1] > 11


@given(st.integers(6, 14), st.integers(2, 9), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_claims_are_what_exceeds_one_difference(seeds: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.exponential(size=(seeds, count)) * rng.uniform(0.1, 2, count)
    matrix += 4 * rng.uniform(size=count)
    seen = compare(matrix)
    gaps = seen.means[:, None] - seen.means[None, :]
    if seen.better.any():
        assert gaps[seen.better].min() > gaps[~seen.better].max()
    assert len(set(letters(seen))) <= 2 * count
    assert (seen.p_values == seen.p_values.T).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_neither_order_nor_units_nor_what_seeds_share_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-8, 9, (8, 6)) + 4.0 * rng.integers(0, 5, 6)
    wanted = compare(matrix)
    order = rng.permutation(6)
    shuffled = compare(matrix[:, order])
    np.testing.assert_array_equal(shuffled.p_values, wanted.p_values[np.ix_(order, order)])
    shared = compare(matrix + rng.integers(-50, 50, (8, 1)))
    np.testing.assert_array_equal(shared.p_values, wanted.p_values)
    for unit in (2.0**-1000, 3.0, 2.0**1000):
        np.testing.assert_array_equal(compare(matrix * unit).p_values, wanted.p_values)
    # Ties between flips stay ties where the values are not exact.
    inexact = compare(matrix / 3 + 0.7)
    np.testing.assert_array_equal(inexact.p_values, wanted.p_values)
    mirrored = compare(-matrix)
    np.testing.assert_array_equal(mirrored.better, wanted.better.T)


def test_the_same_values_give_the_same_bits() -> None:
    matrix = np.random.default_rng(66).standard_normal((40, 7)) + np.arange(7) / 4
    first, second = compare(matrix), compare(matrix)
    assert first.p_values.tobytes() == second.p_values.tobytes()
    assert first.means.tobytes() == second.means.tobytes()


def test_a_whole_course() -> None:
    rng = np.random.default_rng(67)
    matrix = rng.standard_normal((30, 300)) + np.linspace(0, 3, 300)
    seen = compare(matrix)
    shown = letters(seen)
    better = seen.better
    held = [set(text.split()) for text in shown]
    assert all(
        bool(better[i, j] or better[j, i]) != bool(held[i] & held[j])
        for i, j in itertools.combinations(range(0, 300, 7), 2)
    )
    lo, hi = rank_intervals(seen)
    assert 100 < (hi - lo + 1).mean() < 250


# ------------------------------------------------------------- unpaired values


def test_unpaired_agrees_with_scipy_and_holm() -> None:
    rng = np.random.default_rng(68)
    samples = [
        rng.normal(loc, 1 + loc / 9, size) for loc, size in ((0, 9), (1, 7), (9, 12), (4, 5))
    ]
    seen = simultaneous(samples, paired=False)
    pairs = list(itertools.combinations(range(4), 2))
    found = [stats.ttest_ind(samples[i], samples[j], equal_var=False) for i, j in pairs]
    raw = np.array([2 * stats.t.sf(abs(one.statistic), int(one.df)) for one in found])
    order = np.argsort(raw)
    adjusted = np.minimum(np.maximum.accumulate(raw[order] * np.arange(6, 0, -1)), 1)
    for place, value in zip(order, adjusted, strict=True):
        assert seen.p_values[pairs[place]] == pytest.approx(value, rel=1e-9)
    assert (raw >= [one.pvalue for one in found]).all()
    assert sum(adjusted < 0.5) >= 3
    assert seen.seeds == 5


def test_unpaired_size(sim: Any) -> None:
    rng = np.random.default_rng(69)

    def claims() -> bool:
        return bool(compare(SPREADS * rng.standard_normal((8, 6)), paired=False).better.any())

    assert sim.rejections(1000, claims) in sim.band(1000, 0.02, 0.05)


def test_unpaired_without_spread_claims_nothing() -> None:
    constant = simultaneous([[1.0] * 30, [0.0] * 30], paired=False)
    assert separated(constant) == set()
    rounded = simultaneous([[0.3, 0.1 + 0.2] * 9, [0.4] * 18], paired=False)
    assert separated(rounded) == set()
    single = simultaneous([[1.0], [0.0, 0.1, 0.2]], paired=False)
    assert (separated(single), single.seeds) == (set(), 1)
    one_varies = simultaneous([[0.1] * 10, np.arange(10.0) + 1], paired=False)
    assert separated(one_varies) == {(1, 0)}
    wanted = stats.ttest_1samp(np.arange(10.0) + 1, 0.1).pvalue
    assert one_varies.p_values[0, 1] == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("unit", [2.0**-1060, 2.0**1000])
def test_unpaired_in_extreme_units(unit: float) -> None:
    matrix = np.random.default_rng(70).integers(0, 9, (9, 4)) + np.array([0.0, 4.0, 8.0, 90.0])
    wanted = compare(matrix, paired=False)
    seen = compare(matrix * unit, paired=False)
    np.testing.assert_allclose(seen.p_values, wanted.p_values, rtol=1e-9)
    assert separated(seen) == separated(wanted)


# ----------------------------------------------------------------------- edges


@pytest.mark.parametrize("paired", [True, False])
def test_one_submission_is_first_and_last(paired: bool) -> None:
    seen = simultaneous([[0.3, 0.5]], paired=paired)
    lo, hi = rank_intervals(seen)
    assert (lo.tolist(), hi.tolist(), letters(seen)) == ([1], [1], ["a"])
    assert seen.p_values.tolist() == [[1.0]]


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("value", [0.0, 0.1, -1e300])
def test_all_ties(paired: bool, value: float) -> None:
    seen = simultaneous([[value] * 20] * 4, paired=paired)
    lo, hi = rank_intervals(seen)
    assert (lo.tolist(), hi.tolist(), letters(seen)) == ([1] * 4, [4] * 4, ["a"] * 4)


def test_identical_work_ties_whatever_the_others_do() -> None:
    values = np.random.default_rng(71).standard_normal(12)
    seen = simultaneous([values, values + 9, values, values + 9], paired=True)
    assert separated(seen) == {(1, 0), (1, 2), (3, 0), (3, 2)}
    assert letters(seen) == ["b", "a", "b", "a"]


@pytest.mark.parametrize("paired", [True, False])
def test_one_seed_says_nothing(paired: bool) -> None:
    seen = simultaneous([[0.0], [1e6], [-1e6]], paired=paired)
    assert (separated(seen), letters(seen), seen.seeds) == (set(), ["a"] * 3, 1)


def test_constant_values_are_told_apart_from_six_seeds_on() -> None:
    constants = [0.5, 0.1, 0.9, 0.3]
    few = simultaneous([[value] * 5 for value in constants], paired=True)
    assert (separated(few), letters(few)) == (set(), ["a"] * 4)
    enough = simultaneous([[value] * 6 for value in constants], paired=True)
    assert letters(enough) == ["b", "d", "a", "c"]
    lo, hi = rank_intervals(enough)
    assert lo.tolist() == hi.tolist() == [2, 4, 1, 3]


def test_perfectly_separated_values() -> None:
    rng = np.random.default_rng(72)
    for paired in (True, False):
        matrix = rng.uniform(size=(12, 5)) + 10 * np.arange(5)
        assert letters(compare(matrix, paired)) == ["e", "d", "c", "b", "a"]


def test_values_of_different_length_are_compared_where_all_have_some() -> None:
    rng = np.random.default_rng(73)
    matrix = rng.normal([0, 1, 2, 4], 1.0, (20, 4))
    cut = [matrix[:length, column] for column, length in enumerate((20, 9, 14, 9))]
    seen, wanted = simultaneous(cut, paired=True), compare(matrix[:9])
    assert seen.seeds == 9
    np.testing.assert_array_equal(seen.p_values, wanted.p_values)
    np.testing.assert_array_equal(seen.means, wanted.means)


def test_least_seeds_is_where_a_claim_is_possible() -> None:
    for alpha in (0.5, 0.06, 0.05, 0.01, 2.0**-10):
        least = least_seeds(alpha)
        for seeds, wanted in ((least - 1, False), (least, True)):
            values = [[1.0] * seeds, [0.0] * seeds]
            assert simultaneous(values, paired=True, alpha=alpha).better.any() == wanted
    assert least_seeds(0.05) == 6


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([], "no submission"),
        ([[1.0, 2.0], []], r"values\[1\] has shape \(0,\)"),
        ([[1.0, np.nan], [1.0, 2.0]], r"values\[0\] has 1 entries that are not finite"),
        ([[1.0, 2.0], [np.inf, -np.inf]], r"values\[1\] has 2 entries that are not finite"),
        ([[[1.0, 2.0]]], r"values\[0\] has shape \(1, 2\)"),
        ([["1", "2"]], "real numbers"),
        ([[1j, 2.0]], "real numbers"),
    ],
)
def test_bad_values(values: Any, wanted: str, paired: bool) -> None:
    with pytest.raises(ValueError, match=wanted):
        simultaneous(values, paired=paired)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0, np.nan])
def test_bad_alpha(alpha: float) -> None:
    for call in (
        lambda: simultaneous([[1.0], [2.0]], paired=True, alpha=alpha),
        lambda: simultaneous([[1.0], [2.0]], paired=False, alpha=alpha),
        lambda: least_seeds(alpha),
    ):
        with pytest.raises(ValueError, match="alpha"):
            call()


def test_an_alpha_below_every_paired_p_value() -> None:
    with pytest.raises(ValueError, match=r"alpha is 0.0009; wanted at least 2\*\*-10"):
        simultaneous([[1.0] * 20, [0.0] * 20], paired=True, alpha=0.0009)
    simultaneous([[1.0] * 20, [0.0] * 20], paired=False, alpha=0.0009)


# ----------------------------------------------------------- ranks and letters


def test_rank_intervals_count_both_sides() -> None:
    seen = relation([3, 2, 1, 0], {(0, 2), (0, 3), (1, 3)})
    lo, hi = rank_intervals(seen)
    assert lo.tolist() == [1, 1, 2, 3]
    assert hi.tolist() == [2, 3, 4, 4]


def test_letters_of_a_chain() -> None:
    assert letters(relation([3, 2, 1, 0], {(0, 2), (0, 3), (1, 3)})) == ["a", "ab", "bc", "c"]
    assert letters(relation([0, 1, 2, 3], {(0, 2), (0, 3), (1, 3)})) == ["c", "bc", "ab", "a"]
    # Piepho's own case: the middle one is told from neither end, although it lies between two
    # that are told apart.
    assert letters(relation([2, 1, 0], {(0, 2)})) == ["a", "ab", "b"]
    # Without a common threshold: first and last tie, but both beat or lose to the middle.
    assert letters(relation([2, 1, 0], {(0, 1), (1, 2)})) == ["a", "b", "a"]


@st.composite
def relations(draw: Any) -> Comparisons:
    count = draw(st.integers(1, 9))
    pairs = list(itertools.combinations(range(count), 2))
    different = draw(st.sets(st.sampled_from(pairs))) if pairs else set()
    means = draw(st.permutations(range(count)))
    return relation(list(means), different)


@given(relations())
@settings(max_examples=300, deadline=None)
def test_a_letter_is_shared_exactly_by_those_that_do_not_differ(seen: Comparisons) -> None:
    shown = letters(seen)
    count = len(shown)
    for i, j in itertools.combinations(range(count), 2):
        differ = bool(seen.better[i, j] or seen.better[j, i])
        assert differ != bool(set(shown[i]) & set(shown[j]))
    assert all(text and list(text) == sorted(set(text)) for text in shown)
    used = sorted(set("".join(shown)))
    assert used == list("abcdefghijklmnopqrstuvwxyz"[: len(used)])
    groups = [{i for i in range(count) if name in shown[i]} for name in used]
    assert not any(one < other for one, other in itertools.permutations(groups, 2))
    best = int(np.argmax(seen.means))
    assert shown[best].startswith("a")
    order = np.argsort(-seen.means)
    firsts = [[int(i) for i in order if name in shown[i]] for name in used]
    ranks = {int(i): place for place, i in enumerate(order)}
    assert firsts == sorted(firsts, key=lambda group: [ranks[i] for i in group])
    lo, hi = rank_intervals(seen)
    assert ((lo >= 1) & (hi <= count)).all()


def test_equal_means_keep_their_order() -> None:
    assert letters(relation([1, 1, 1], set())) == ["a", "a", "a"]
    assert letters(relation([0, 1, 1], {(0, 1)})) == ["b", "a", "ab"]


@pytest.mark.parametrize(
    ("count", "names"),
    [(26, ["a", "b", "z"]), (27, ["aa", "ab", "ba"]), (676, ["aa", "ab", "zz"])],
)
def test_names_of_many_groups(count: int, names: list[str]) -> None:
    apart = set(itertools.combinations(range(count), 2))
    shown = letters(relation(list(range(count, 0, -1)), apart))
    assert [shown[0], shown[1], shown[-1]] == names
    assert len(set(shown)) == count


def test_more_groups_than_letters_are_written_apart() -> None:
    count = 30
    apart = {(i, j) for i, j in itertools.combinations(range(count), 2) if j - i > 1}
    shown = letters(relation(list(range(count, 0, -1)), apart))
    assert shown[:3] == ["aa", "aa ab", "ab ac"]
    assert shown[26:] == ["az ba", "ba bb", "bb bc", "bc"]


def test_contradictory_comparisons_end_in_an_error() -> None:
    crossed = {(2 * pair, 2 * pair + 1) for pair in range(15)}
    with pytest.raises(ValueError, match="more than 1030 groups"):
        letters(relation(list(range(30)), crossed))
