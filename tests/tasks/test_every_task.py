"""What every task has to have, whatever it asks for: parametrised by discovery."""

import ast

import pytest
import yaml

from harness.contract import ArrayType
from harness.proving.hints import complaints_of
from tests.support.programs import ROOT, TASKS, load

#: Bugs of the catalogue, of 103, that are no known mistakes, and why: no program of a student's can
#: have them here, or every task refuses them. docs/bugs.md is made from this and the next table.
NO_STUDENTS = {
    33: "a grader's: subspaces are compared, and honest programs turn and flip the axes",
    39: "the grader computes every likelihood itself, on data that the program never sees",
    64: "a grader's: any greedy policy is accepted, and an honest program takes another one",
    100: "no task asks for a score relative to a person's",
    103: "reseeding is an error of its own in every task; targets and generators are out of reach",
}
#: The others, as far as they are promised to tasks; a task without an entry promises none.
CATALOGUE = {
    "elbo-gaussian-kl": {1, 2, 4, 5},
    "elbo-point-mass": {14},
    "elbo-obs-loglik": {8, 9},
    "elbo-identities": {11, 12, 13, 18},
    "marg-importance": {15, 16, 17, 18, 19},
    "vi-fit-and-amortise": set(),  # its slips have no number
    "bbvi-mixture": set(),  # an extension; nor have its
    "reparam-sample": {20, 21, 22, 23, 31},
    "reparam-grad": {20, 24, 25},
    "score-grad": {26, 27, 28, 29},
    "path-derivative": {30},
    "grad-variance": {29},
    "mdp-aliased-grid": {66},
    "mdp-bellman-eval": {59, 60, 63},
    "mdp-returns": {57, 58},
    "mdp-value-iteration": {60, 61, 62, 65},
    "q-learning-tabular": {67},
    "nas-reward": {101, 102},
    "pg-reinforce-loss": {57, 69, 70, 71, 72, 73, 74, 75},
    "pg-theorem": {83},
    "pg-baseline": {68, 77, 78, 79, 80, 81},
    "pg-baseline-cartpole": {57, 58, 68, 69, 70, 71, 72, 73, 74, 75, 76, 78, 79, 80, 85},
    "pg-classification": {74, 82},
    "a2c-cartpole": {57, 58, 73, 84, 87, 88, 89, 94},  # an extension
    "a2c-update": {75, 76, 84, 85, 86},
    "dqn-target-loss": {87, 88, 89, 90, 91, 92, 93},
    "pixelrnn-lstm": set(),  # an extension; its slip, an input that is not shifted, has no number
    "px-chain-nll": {40, 46, 48, 51},
    "px-mask": {40, 41, 42, 43, 46, 47},
    "px-known-entropy": {34, 40, 41, 42, 43, 46, 47, 48},
    "px-digits": {15, 16, 18, 34, 40, 41, 42, 43, 46, 47, 48, 51},
    "px-sample-complete": {49, 50},
    "px-rgb-order": {40, 41, 42, 43, 44, 45, 46, 47},
    "dqn-probe": {87, 88, 94},
    "dqn-pipeline": {94, 95, 96, 97},
    "dqn-atari": {98, 99},
    "dqn-cartpole": {87, 88, 89, 90, 92, 93, 94, 96},  # an extension
    "dqn-mini-breakout": {57, 58, 87, 88, 89, 90, 92, 94, 99},  # an extension
    "pg-reinforce-cartpole": {57, 58, 68, 69, 70, 71, 72, 73, 74, 75},
    "ae-linear-pca": {32},
    "cvae-conditional": {5, 37},
    "vae-digits": {6},
    "vae-loss-step": {3, 6, 7, 10, 34},
    "vae-sample-interp": {35, 36},
    "vae-2d-gaussian": {1, 2, 3, 4, 6, 7, 8, 9, 10, 20, 21},
    "vae-beta-tradeoff": {38},
    "bandit-egreedy": {52, 53, 54, 55},
    "bandit-testbed": {54, 56},
    "ae-denoising": set(),  # an extension; its slips have no number
}

#: The assignment of each lecture document.
LECTURES = {"S0": "dsc291", "S1": "csci599", "S2": "npfl138", "S3": "csc413", "S4": "cs285"}


@pytest.fixture(scope="module", params=TASKS)
def task(request):
    return load(request.param)


def sample(folder, task):
    return ROOT / "submissions" / folder / task.spec.file


def test_a_folder_of_a_task_has_all_that_a_task_consists_of():
    for name in ("task.yaml", "README.md", "starter.py", "measure.py"):
        holders = {path.parent.name for path in ROOT.glob(f"tasks/*/{name}")}
        assert holders == set(TASKS), name


def test_every_task_of_the_catalogue_exists():
    assert set(CATALOGUE) <= set(TASKS)


def test_the_untouched_sample_is_the_starter(task):
    assert sample("untouched", task).read_bytes() == task.starter


def test_the_domain_is_declared_and_the_worked_example_is_a_visible_check(task):
    assert task.spec.domain is not None
    assert task.example is not None
    replaying = {
        node.name
        for node in ast.parse(task.measure).body
        if isinstance(node, ast.FunctionDef) and "student.example()" in ast.unparse(node)
    }
    found = [each for each in task.spec.checks if each.measurement in replaying]
    assert [(each.kind, each.visibility) for each in found] == [("property", "visible")]
    assert found[0].points > 0


@pytest.mark.parametrize("folder", ["complete", "mistaken"])
def test_there_are_samples_of_right_and_of_mistaken_work(task, folder):
    assert sample(folder, task).is_file()


def test_every_bug_of_the_catalogue_is_a_known_mistake(task):
    known = {bug for mutant in task.reference.mutants for bug in mutant.mistake.bug}
    assert CATALOGUE.get(task.id, set()) - known == set()


def test_every_other_bug_of_the_catalogue_is_a_known_mistake_somewhere():
    mutants = [mutant for name in TASKS for mutant in load(name).reference.mutants]
    known = {bug for mutant in mutants for bug in mutant.mistake.bug if isinstance(bug, int)}
    assert known == set(range(1, 104)) - set(NO_STUDENTS)


def test_a_statement_with_masks_and_a_discount_says_how_to_keep_float64(task):
    """``gamma * mask`` is float32 in torch, and a right program would fail by its rounding."""
    functions = [*task.contract.functions.values()]
    if any({"bool", float} <= kinds_of(function) for function in functions):
        text = " ".join((ROOT / "tasks" / task.id / "README.md").read_text("utf-8").split())
        assert "is float32 in torch: convert masks with `.double()`" in text


def kinds_of(function):
    """``bool`` where an argument is a Bool tensor, float where there is a discount."""
    masks = {
        "bool" for p in function.params if isinstance(p.type, ArrayType) and "bool" in p.type.dtypes
    }
    return masks | {float for p in function.params if p.name == "gamma"}


@pytest.mark.parametrize("document", sorted(LECTURES))
def test_the_assignment_of_a_lecture_holds_every_task_that_names_it_as_a_source(document):
    path = ROOT / "tasks" / "assignments" / f"{LECTURES[document]}.yaml"
    tasks = yaml.safe_load(path.read_text(encoding="utf-8"))["tasks"]
    sources = {name: {slide.document for slide in load(name).spec.lecture} for name in TASKS}
    assert tasks == [{"id": name} for name in sorted(TASKS) if document in sources[name]]


@pytest.mark.parametrize("name", TASKS)
def test_every_hint_is_reached_by_its_mistake(name):
    """By the stored answers: a program that makes a mistake is shown its hint, or one that fits."""
    assert list(complaints_of(load(name))) == []
