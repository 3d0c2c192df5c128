"""What every task has to have, whatever it asks for: parametrised by discovery."""

import ast
import re

import pytest

from harness.spec.statement import rendered
from tests.support.programs import ROOT, TASKS, load

# The catalogue of known bugs, as far as it promises them to tasks; a task without an entry promises
# none. (64 is a bug of graders, not of students, and has a self-test.)
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
    "mdp-value-iteration": {60, 61, 62, 65},
    "pg-baseline": {68, 77, 78, 79, 80, 81},
    "dqn-target-loss": {87, 88, 89, 90, 91, 92, 93},
    "px-chain-nll": {40, 46, 48, 51},
    "px-mask": {40, 41, 42, 43, 46, 47},
    "dqn-atari": {98, 99},
    "pg-reinforce-cartpole": {57, 58, 68, 69, 70, 71, 72, 73, 74, 75},
    "vae-2d-gaussian": {1, 2, 3, 4, 6, 7, 8, 9, 10, 20, 21},
}


@pytest.fixture(scope="module", params=TASKS)
def task(request):
    return load(request.param)


@pytest.fixture(scope="module")
def statement(task):
    return (ROOT / "tasks" / task.id / "README.md").read_text(encoding="utf-8")


def rows(text):
    """The cells of every row of the tables of a text."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def sample(folder, task):
    return ROOT / "submissions" / folder / task.spec.file


def test_a_folder_of_a_task_has_all_that_a_task_consists_of():
    for name in ("task.yaml", "README.md", "starter.py", "measure.py"):
        holders = {path.parent.name for path in ROOT.glob(f"tasks/*/{name}")}
        assert holders == set(TASKS), name


def test_every_task_of_the_catalogue_exists():
    assert set(CATALOGUE) <= set(TASKS)


def test_the_statement_is_more_than_a_stub(statement):
    assert len(statement) > 1000


def test_the_statement_shows_the_domain_and_the_example_of_the_task(task, statement):
    assert rendered(statement, task) == statement, "run: nox -s statement -- --write"


def test_the_statement_links_to_the_page_on_where_the_code_runs(task, statement):
    links = re.findall(r"\]\((\S+)\)", statement)
    pages = {(ROOT / "tasks" / task.id / link).resolve() for link in links}
    assert ROOT / "docs" / "where-your-code-runs.md" in pages


def test_the_statement_says_what_lecture_documents_it_means(statement):
    mentioned = set(re.findall(r"\bS\d\b", statement))
    assert mentioned
    assert mentioned <= set(re.findall(r"\b(S\d): [A-Z]", statement))


def test_the_statement_has_a_table_of_the_checks_and_their_points(task, statement):
    declared = {check.id: check.points for check in task.spec.checks}
    found = {}
    for name, points, *_ in (row for row in rows(statement) if len(row) > 1):
        if name.strip("`") in declared:
            found[name.strip("`")] = float(points)
    assert found == declared


def test_the_statement_names_everything_that_has_to_be_written(task, statement):
    classes = task.contract.classes.values()
    names = {*task.contract.functions, *task.contract.classes}
    names |= {method for each in classes for method in each.methods}
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", statement, re.DOTALL))
    assert {name for name in names if not re.search(rf"\b{name}\b", code)} == set()


def test_the_starter_leaves_every_function_open(task):
    functions = [
        node for node in ast.walk(ast.parse(task.starter)) if isinstance(node, ast.FunctionDef)
    ]
    assert functions
    for function in functions:
        documented = ast.get_docstring(function) is not None
        assert [ast.unparse(line) for line in function.body[documented:]] == [
            "raise NotImplementedError"
        ], function.name


def test_the_untouched_sample_is_the_starter(task):
    assert sample("untouched", task).read_bytes() == task.starter


@pytest.mark.parametrize("folder", ["complete", "mistaken"])
def test_there_are_samples_of_right_and_of_mistaken_work(task, folder):
    assert sample(folder, task).is_file()


def test_every_bug_of_the_catalogue_is_a_known_mistake(task):
    known = {bug for mutant in task.reference.mutants for bug in mutant.mistake.bug}
    assert CATALOGUE.get(task.id, set()) - known == set()


def test_hints_quote_neither_the_mistake_nor_the_solution(task):
    for mistake in (mutant.mistake for mutant in task.reference.mutants):
        for code in (mistake.find, mistake.replace):
            assert not code or code.strip() not in mistake.hint, mistake.name
