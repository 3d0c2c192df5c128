"""What is drawn of a failed check: masks and influences, from the calls of an example."""

import json
from pathlib import Path

import numpy as np
import pytest

from harness.arrays import decode_array, encode_array
from harness.marking import pictures
from harness.records import EXAMPLE, Observation, Trial
from harness.spec.catalogue import load_all
from harness.spec.checks import CausalityCheck, ExactCheck, PropertyCheck

COMMON = {"id": "seen", "measurement": "m", "metric": "m", "points": 1}
CAUSAL = CausalityCheck(kind="causality", **COMMON)
EXACT = ExactCheck(kind="exact", against="reference", **COMMON)
TRIAL = Trial("px", "m", "ada", "submission", EXAMPLE.stage, 0, "", "0" * 64)
H, W = 2, 3
PIXELS = H * W


def observed(*calls):
    entries = [
        {
            "call": name,
            "args": [[label, value if isinstance(value, int) else encode_array(value)]
                     for label, value in arguments.items()],
            "results": [encode_array(result)],
        }
        for name, arguments, result in calls
    ]  # fmt: skip
    return Observation(TRIAL, "ok", transcript=tuple(entries))


def network(mask):
    """Logits of images [n 1 h w] under weights that are zero where the mask is."""
    weights = np.random.default_rng(3).uniform(0.5, 1.0, mask.shape) * mask
    return lambda x: (x.reshape(len(x), -1) @ weights).reshape(x.shape)


def in_one_call(model):
    """One pixel is moved in each image of a batch, the images in an order of their own."""
    rng = np.random.default_rng(5)
    x = np.repeat(rng.uniform(0, 1, (1, PIXELS)), PIXELS + 1, axis=0)
    x[np.arange(PIXELS), np.arange(PIXELS)] += 3.0
    x = x[rng.permutation(len(x))].reshape(-1, 1, H, W)
    return observed(("forward", {"x": x}, model(x)))


def call_by_call(model):
    """One pixel is moved in all images of a call."""
    rng = np.random.default_rng(5)
    x = rng.uniform(0, 1, (4, 1, H, W))
    calls = [("logits", {"x": x}, model(x))]
    for pixel in range(PIXELS):
        moved = x.reshape(4, -1).copy()
        moved[:, pixel] += 3.0
        moved = moved.reshape(x.shape)
        calls.append(("logits", {"x": moved}, model(moved)))
    return observed(*calls)


EARLIER = np.triu(np.ones((PIXELS, PIXELS)), 1)
LEAKS = EARLIER + np.diag([0, 0, 1, 0, 0, 0])
BLIND = EARLIER * (np.arange(PIXELS)[:, None] != 0)


@pytest.mark.parametrize("tried", [in_one_call, call_by_call])
@pytest.mark.parametrize(
    ("mask", "wrong"), [(LEAKS, [(2, 2)]), (BLIND, [(0, column) for column in range(1, PIXELS)])]
)
def test_influences_are_drawn_with_what_must_not_be_and_what_is_missing(tried, mask, wrong):
    found = pictures.picture(CAUSAL, tried(network(mask)), tried(network(EARLIER)), file="p.svg")
    mine, wanted = found["panels"][:2]
    assert np.array_equal(decode_array(mine["cells"]) > 0, mask > 0)
    assert np.array_equal(decode_array(wanted["cells"]) > 0, EARLIER > 0)
    assert np.argwhere(decode_array(mine["wrong"])).tolist() == [list(each) for each in wrong]
    assert not decode_array(wanted["wrong"]).any()
    assert f"{len(wrong)} differ" in found["alt"]
    assert f"row {wrong[0][0] + 1} column {wrong[0][1] + 1}" in found["alt"]
    # beside them, the image of what moves the worst output
    field = decode_array(found["panels"][2]["cells"])
    assert field.shape == (H, W)
    assert np.array_equal(field.ravel() > 0, mask[:, wrong[0][1]] > 0)


def test_what_is_not_a_number_is_drawn_as_there():
    def broken(x):
        logits = network(EARLIER)(x)
        logits[..., 0, 0] = np.where(x[..., 0, 1] > 2, np.nan, logits[..., 0, 0])
        return logits

    found = pictures.picture(
        CAUSAL, in_one_call(broken), in_one_call(network(EARLIER)), file="p.svg"
    )
    assert decode_array(found["panels"][0]["wrong"])[1, 0]


def test_a_wrong_mask_is_drawn_and_the_one_with_the_fewest_cells_is_not_preferred():
    right, small = np.tril(np.ones((5, 5)), -1), np.array([[1.0, 0.0], [1.0, 1.0]])
    wrong = right.copy()
    wrong[2, 2] = 1
    arguments = {"radius": 2, "sees_itself": False}
    own = observed(("causal_mask", {"radius": 0}, small.T), ("causal_mask", arguments, wrong))
    wanted = observed(("causal_mask", {"radius": 0}, small), ("causal_mask", arguments, right))
    found = pictures.picture(EXACT, own, wanted, file="p.svg")
    assert found["title"] == "causal_mask(radius=2, sees_itself=False)"
    assert np.argwhere(decode_array(found["panels"][0]["wrong"])).tolist() == [[2, 2]]
    assert "1 differs: row 3 column 3." in found["alt"]


@pytest.mark.parametrize(
    "result",
    [np.full((3, 3), 0.5), np.ones((1, 4)), np.zeros((3, 3)), np.ones((80, 3)), np.float64(1.0)],
    ids=["numbers", "a row", "nothing", "too many", "one"],
)
def test_what_is_no_mask_is_not_drawn(result):
    own, wanted = observed(("f", {}, 1 - result)), observed(("f", {}, result))
    assert pictures.picture(EXACT, own, wanted, file="p.svg") is None


def test_nothing_is_drawn_of_other_kinds_nor_where_nothing_differs():
    own, wanted = in_one_call(network(LEAKS)), in_one_call(network(EARLIER))
    other = PropertyCheck(kind="property", **COMMON)
    assert pictures.picture(other, own, wanted, file="p.svg") is None
    assert pictures.picture(CAUSAL, wanted, wanted, file="p.svg") is None
    assert pictures.picture(CAUSAL, observed(), observed(), file="p.svg") is None


def test_seeds_are_drawn_beside_the_stored_runs_of_the_reference():
    root = Path(__file__).parents[2]
    (task,) = load_all(root / "tasks", root / "reference", ["bbvi-mixture"])
    check = task.spec.check("learns")
    path = root / "reference" / task.id / "targets" / check.target
    (reference,) = [
        each for each in json.loads(path.read_bytes())["programs"] if each["role"] == "reference"
    ]
    runs = reference["values"][check.metric]
    found = pictures.of_seeds(task, check, {"values": [0.5, 0.25]}, file="p.svg")
    low, high = found["seeds"]["band"]
    inside = np.mean([low <= value <= high for value in runs])
    assert inside == pytest.approx(0.9, abs=0.01)
    assert found["seeds"]["values"] == [0.5, 0.25]
    for words in ("1 to 2", "0.5, 0.25", f"{check.threshold:g}", f"of {len(runs)} reference runs"):
        assert words in found["alt"]
    assert pictures.of_seeds(task, check, {}, file="p.svg") is None
