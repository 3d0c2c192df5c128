"""The cheats of this field, beside honest work of the same quality.

Every attack is graded twice: on the course, whose measurements follow the scheme, and on the same
tasks measured naively, where it wins. Seeds come from a fixed key, so nothing here is left to luck.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.redteam import model
from harness.sandbox import choice

from . import grade

ATTACKS = {attack.label: attack for attack in model.load(grade.HERE / "attacks")}
FREQUENCIES = grade.HERE / "honest" / "frequencies"

#: What a likelihood may seem to gain: two models side by side win or lose that much by chance.
TOLERANCE_NATS = 0.02
NOTHING = SimpleNamespace(params={})
ANYWHERE = "220-encoder-tells-decoder-anywhere"


@dataclass(frozen=True)
class Likelihood:
    """An attack on a likelihood: the naive check that it beats, and by how much at least."""

    naive: str
    gain_nats: float


LIKELIHOODS = {
    "204-stash-the-batch": Likelihood("noise-compare", 7.0),
    "206-noise-detector": Likelihood("leak-on-noise", 7.0),
    "207-batchnorm-mixes-rows": Likelihood("big-batch-test", 1.0),
    "208-batch-cross-talk": Likelihood("all-prefixes", 5.0),
    "209-memory-in-globals": Likelihood("two-passes", 1.0),
    "210-memory-in-a-class": Likelihood("two-passes", 1.0),
    "211-memory-in-scratch": Likelihood("two-passes", 1.0),
    "212-memory-in-torch": Likelihood("two-passes", 1.0),
    "213-memorised-public-images": Likelihood("public-split", 3.0),
    "214-patched-autograd": Likelihood("by-autograd", 7.0),
    "215-pooled-z": Likelihood("many-z-at-once", 1.5),
    "216-low-bits-of-z": Likelihood("its-own-z", 4.0),
    "217-low-bits-of-mu": Likelihood("decoded-mean", 4.0),
    "218-encoder-tells-decoder": Likelihood("one-worker", 4.0),
    "219-encoder-tells-decoder-by-file": Likelihood("one-sandbox", 4.0),
}
#: Attacks on learning, with the naive check that they beat.
LEARNING = {
    "221-hard-coded-weights": "plain",
    "222-private-simulator": "plain",
    "223-identified-disguise": "plain",
    "224-lucky-seed": "public-disguise",
    "225-patched-reward": "told",
}
#: Attacks on a gradient or a clock, with the naive check that they pass.
FITS = {
    "226-patched-autograd-zero": "stationary",
    "227-patched-autograd-wanted": "fixed-gradient",
    "228-cache-by-shape": "fixed-minimum",
    "229-patched-timer": "told-seconds",
}
#: What the default suite grades, one or more of every class; `-m slow` grades all. Every attack is
#: a training or a likelihood with a worker of its own, ten seconds in both courses together.
DEFAULT = {
    *("204-stash-the-batch", "209-memory-in-globals", "215-pooled-z", "218-encoder-tells-decoder"),
    *("221-hard-coded-weights", "226-patched-autograd-zero"),
}
HONEST = ("200-honest-pixelcnn", "201-honest-vae", "202-honest-cartpole", "203-honest-fit")
AT_THE_FLOOR = "205-stash-at-the-floor"
IDENTIFIED = "223-identified-disguise"


def folders(*labels):
    return [grade.HERE / "attacks" / label for label in labels]


def cases(labels):
    """The labels as parameters; slow where the default suite leaves them out."""
    kept = {*DEFAULT, *HONEST, AT_THE_FLOOR}
    return [
        label if label in kept else pytest.param(label, marks=pytest.mark.slow) for label in labels
    ]


def asked_for(request):
    """The attacks that the tests of this session are about, and what others are compared with."""
    asked = {
        item.callspec.params["label"]
        for item in request.session.items
        if item.path == Path(__file__) and "label" in getattr(item, "callspec", NOTHING).params
    }
    return {*asked, *HONEST, AT_THE_FLOOR, ANYWHERE, IDENTIFIED, "204-stash-the-batch"}


@pytest.fixture(scope="module")
def level():
    return choice.best()


@pytest.fixture(scope="module")
def defended(request, level, tmp_path_factory):
    """Marks of what is asked for, by the measurements that follow the scheme."""
    asked = asked_for(request)
    labels = [label for label in ATTACKS if label in asked]
    labels = [label for label in labels if ATTACKS[label].claimed_at(level.level)]
    results = tmp_path_factory.mktemp("defended")
    paths = [*folders(*labels), FREQUENCIES]
    return grade.grade(paths, grade.DEFENDED, level, results)


@pytest.fixture(scope="module")
def naive(request, level, tmp_path_factory):
    """Marks of what is asked for, by the naive measurements."""
    folder = tmp_path_factory.mktemp("naive")
    asked = asked_for(request)
    labels = [*HONEST, AT_THE_FLOOR, *LIKELIHOODS, *LEARNING, *FITS]
    labels = [label for label in labels if label in asked]
    paths = [*folders(*labels), FREQUENCIES]
    checks = {label: case.naive for label, case in LIKELIHOODS.items()} | LEARNING | FITS
    checks |= dict.fromkeys((AT_THE_FLOOR, "frequencies"), "noise-compare")
    only = {label: {check.replace("-", "_")} for label, check in checks.items()}
    for label in HONEST:  # what an attack on the same task is compared by, and nothing else
        files = set(ATTACKS[label].sources)
        known = asked & {*LIKELIHOODS, *LEARNING, *FITS, AT_THE_FLOOR}
        fooled = [other for other in known if files & set(ATTACKS[other].sources)]
        only[label] = set().union(*(only[other] for other in fooled))
    return grade.grade(paths, grade.naive(folder), level, folder, only)


def points(marks):
    return sum(verdict.points for verdict in marks.values())


def nats(marks, check):
    return marks[check].evidence["mean_nll_nats"]


def honest_of(label):
    """The honest counterpart that an attack on a likelihood or on learning names."""
    return ATTACKS[label].honest


def test_every_attack_has_a_case():
    cases = {*HONEST, AT_THE_FLOOR, ANYWHERE, *LIKELIHOODS, *LEARNING, *FITS, "199-honest"}
    assert cases == set(ATTACKS)


@pytest.mark.parametrize("label", HONEST)
def test_honest_work_has_full_marks(label, defended, naive):
    for marks in (defended[label], naive[label]):
        assert {verdict.status for verdict in marks.values()} == {"PASS"}


@pytest.mark.parametrize("label", cases(sorted(set(ATTACKS) - {ANYWHERE, "199-honest"})))
def test_an_attack_is_marked_as_declared(label, defended):
    expect = ATTACKS[label].declared.expect
    marks = defended[label]
    decided = {(verdict.status, verdict.cause) for verdict in marks.values()}
    assert {("PASS", ""), *decided} - {("PASS", "")} <= {
        (status, cause) for status in expect.status for cause in expect.cause
    }
    if isinstance(expect.score, model.AtMost):
        assert points(marks) <= points(defended[honest_of(label)])
    else:  # of four tasks with one point each
        assert points(marks) == pytest.approx(4 * expect.score)


@pytest.mark.parametrize("label", cases(LIKELIHOODS))
def test_no_likelihood_is_better_than_honest_work(label, defended):
    check = "likelihood" if "rf_pixelcnn.py" in ATTACKS[label].sources else "bound"
    honest = nats(defended[honest_of(label)], check)
    assert nats(defended[label], check) >= honest - TOLERANCE_NATS


@pytest.mark.parametrize("label", cases(LIKELIHOODS))
def test_a_naive_likelihood_is_beaten(label, naive, level):
    case = LIKELIHOODS[label]
    verdict, honest = naive[label][case.naive], naive[honest_of(label)]
    if case.naive == "one-sandbox":  # nothing stays beside a scratch folder: see below
        assert nats(naive[label], case.naive) == pytest.approx(nats(honest, case.naive))
        return
    assert verdict.status == "PASS"
    assert nats(naive[label], case.naive) <= nats(honest, case.naive) - case.gain_nats


def test_the_floor_alone_is_no_guard(defended, naive):
    """Without a model, the stash stays above the floor; its spread is what gives it away."""
    assert naive[AT_THE_FLOOR]["noise-compare-floor"].cause == "excess"
    assert naive["frequencies"]["noise-compare-floor"].status == "FAIL"
    assert naive["204-stash-the-batch"]["noise-compare-floor"].cause == "below-floor"
    assert points(defended[AT_THE_FLOOR]) == points(defended["frequencies"]) == 0
    worth = nats(defended["frequencies"], "likelihood")
    assert nats(defended[AT_THE_FLOOR], "likelihood") >= worth - TOLERANCE_NATS


@pytest.mark.parametrize("label", cases(sorted(set(LEARNING) - {IDENTIFIED})))
def test_what_was_not_learnt_has_less_than_honest_work(label, defended):
    """Fixed weights balance behind one disguise of eight, hence there are three."""
    honest = defended[honest_of(label)]["return"].evidence["mean_return"]
    assert defended[label]["return"].evidence["mean_return"] < honest - 50
    assert defended[label]["return"].points < 0.5


def test_who_finds_the_disguise_has_what_learning_has(defended):
    """Steps of the served environment find it, as they find the dynamics for honest work."""
    assert points(defended[IDENTIFIED]) == points(defended[honest_of(IDENTIFIED)])


@pytest.mark.parametrize("label", cases(LEARNING))
def test_a_naive_return_is_reached_without_learning(label, naive):
    assert naive[label][LEARNING[label]].status == "PASS"


@pytest.mark.parametrize("label", cases(FITS))
def test_a_naive_check_of_a_fit_is_passed(label, naive, defended):
    assert naive[label][FITS[label]].status == "PASS"
    assert points(defended[label]) < points(defended["203-honest-fit"])


def test_memory_that_outlives_the_sandbox_is_stopped_from_level_two(defended, level):
    """Also where it is not: the figure that the level is worth."""
    if level.level == "L1":
        assert ANYWHERE not in defended
        return
    honest = nats(defended["201-honest-vae"], "bound")
    assert nats(defended[ANYWHERE], "bound") >= honest - TOLERANCE_NATS


def test_a_file_beside_the_scratch_folder_is_gone_before_the_next_worker(tmp_path):
    """At every level: what a worker leaves there is removed, even within one sandbox."""
    label, weakest = "219-encoder-tells-decoder-by-file", choice.at("L1")
    only = {name: {"one_sandbox"} for name in (label, "201-honest-vae")}
    naive_course = grade.naive(tmp_path)
    paths = folders(label, "201-honest-vae")
    marks = grade.grade(paths, naive_course, weakest, tmp_path, only)
    honest = nats(marks["201-honest-vae"], "one-sandbox")
    assert nats(marks[label], "one-sandbox") == pytest.approx(honest)


@pytest.mark.slow
def test_memory_that_outlives_the_sandbox_leaks_at_level_one(tmp_path):
    """It is recognised all the same, because the truth is known: the bound lies below the floor."""
    name = "rf-vae-images-and-codes.pt"
    try:
        marks = grade.grade(folders(ANYWHERE), grade.DEFENDED, choice.at("L1"), tmp_path)
    finally:
        for place in ("/tmp", "/var/tmp", "/dev/shm", "/run", "/run/lock", Path.home()):
            with contextlib.suppress(OSError):
                Path(place, name).unlink()
    verdict = marks[ANYWHERE]["bound"]
    assert (verdict.status, verdict.cause) == ("FAIL", "below-floor")
