"""The pictures of every task: an honest program has them, and a mistake is seen in them."""

import json
from pathlib import Path

import numpy as np
import pytest

from harness.collect.bare import BareProgram
from harness.marking.shown import form
from harness.report.sanitise import SENTENCE_LIMIT
from harness.spec.catalogue import load_all

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.parent.name for path in (ROOT / "tasks").glob("*/show.py"))
TASKS = {task.id: task for task in load_all(ROOT / "tasks", ROOT / "reference", NAMES)}
CHEAP = [name for name in NAMES if TASKS[name].spec.tier != "training"]
#: Known mistakes that are to be seen: those of a mask, an order, an axis, a noise, a training.
SEEN = {
    "ae-linear-pca": ["smallest-components", "pca-without-centring"],
    "pixelrnn-lstm": ["columns-first", "input-not-shifted", "read-and-written-by-columns"],
    "px-mask": [
        *("masks-swapped", "first-layer-of-type-b", "every-layer-of-type-a"),
        *("right-half-of-the-row-kept", "rows-below-kept", "mask-turned-round"),
        *("columns-before-rows", "upper-left-only", "own-row-forgotten", "no-mask-at-all"),
    ],
    "px-sample-complete": [
        *("columns-first", "last-pixel-first", "logits-of-the-pixel-before", "one-minus-u"),
        *("observed-pixels-overwritten", "observed-and-hidden-exchanged", "one-u-for-all-images"),
    ],
    "vae-sample-interp": [
        *("rows-in-the-other-order", "lambda-swapped", "mean-only", "bits-turned-round"),
        *("pixels-interpolated",),
    ],
}


def drawn(name, program):
    with BareProgram(TASKS[name], program) as bare:
        return bare.pictures()


def same(first, second):
    return first.keys() == second.keys() and all(
        np.array_equal(first[number][key], second[number][key])
        for number in first
        for key in first[number]
    )


def sound(name, pictures):
    for arrays in pictures.values():
        caption = json.loads(arrays["caption"].tobytes())
        assert len(caption["alt"]) <= SENTENCE_LIMIT
        assert "not finite" not in caption["alt"] and "beyond 0 to 1" not in caption["alt"], name
        assert caption["title"] != caption["alt"]


@pytest.mark.parametrize("name", CHEAP)
def test_honest_programs_draw_alike_and_soundly(name):
    reference = TASKS[name].reference
    solution, variants = reference.solution, reference.variants
    wanted = drawn(name, solution)
    sound(name, wanted)
    assert same(drawn(name, solution), wanted)
    for variant in variants:
        found = drawn(name, variant)
        sound(name, found)
        assert [form(arrays) for arrays in found.values()] == [
            form(arrays) for arrays in wanted.values()
        ]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(NAMES) - set(CHEAP)))
def test_a_trained_solution_draws_soundly(name):
    sound(name, drawn(name, TASKS[name].reference.solution))


@pytest.mark.parametrize("name", [name for name in CHEAP if SEEN[name]])
def test_mistakes_are_seen(name):
    task = TASKS[name]
    wanted = drawn(name, task.reference.solution)
    programs = {each.mistake.name: each.program for each in task.reference.mutants}
    for mistake in SEEN[name]:
        assert not same(drawn(name, programs[mistake]), wanted), mistake


def test_a_wrong_mask_is_seen_where_it_is_wrong():
    """The rows below the middle, which a mask has to hide, are dark in the picture of its table."""
    programs = {each.mistake.name: each.program for each in TASKS["px-mask"].reference.mutants}
    right = drawn("px-mask", TASKS["px-mask"].reference.solution)
    wrong = drawn("px-mask", programs["rows-below-kept"])
    below = np.s_[:, 2, 4:]  # of radius 3, whose middle is row 3 of 7
    assert not right["1"]["images"][below].any()
    assert (wrong["1"]["images"][below] == 255).all()
    middle = 15 // 2
    seen = [pictures["2"]["images"][0, 1] for pictures in (right, wrong)]
    assert not seen[0][middle + 1 :].any() and (seen[1][middle + 1 :] == 255).any()
    for pictures, count in (
        (right, 0),
        (wrong, int((seen[1].ravel()[15 * middle + middle :] > 0).sum())),
    ):
        assert (
            f"{count} of them are the pixel itself or later"
            in json.loads(pictures["2"]["caption"].tobytes())["alt"]
        )
