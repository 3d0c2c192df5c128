"""verify --mutate on a small course: what is caught, what survives, and what is said of both."""

import itertools
import json
import shutil
import textwrap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from harness.cli import main
from harness.errors import SpecError
from harness.files import read_csv
from harness.mutation import equivalents, page, strength
from harness.mutation.source import Source
from harness.mutation.trying import subject_of, try_all
from harness.records import Program
from harness.results import Results
from harness.spec.load import load_task
from tests.support.programs import ROOT, load

COURSE = ROOT / "tests" / "course"


@pytest.fixture
def course(tmp_path):
    """A copy of the fixture course."""
    shutil.copytree(COURSE, tmp_path / "course")
    return tmp_path / "course"


def loaded(course, name="square"):
    return load_task(course / "tasks" / name, course / "reference" / name)


def measured(course, sample=None):
    with ThreadPoolExecutor(1) as here:
        (found,) = strength.measure([loaded(course)], course / "reference", here, sample)
    return found


def outcomes(course, solution):
    """What becomes of the whole solution replaced by another text."""
    task, folder = loaded(course), course / "reference" / "square"
    subject = subject_of(task, task.reference.solution, folder)
    (change,) = Source(task, task.reference.solution, folder).changes(strength.OPERATORS[:1])[:1]
    files = {**change.program.files, task.spec.file: solution.encode()}
    change = replace(change, unit="square", program=replace(change.program, files=files))
    (tried,) = try_all(subject, [change])
    return tried


def program(body):
    return (
        "import os, sys\nimport torch\n\n\ndef square(x):\n"
        + textwrap.indent(textwrap.dedent(body), "    ")
        + "\n\n\ndef total(x):\n    return x.sum(dim=1)\n"
    )


@pytest.mark.parametrize(
    ("body", "outcome", "words"),
    [
        ("return x * x", "equivalent", ""),
        ("return 2 * x", "caught", "wrong"),
        ("return (x * x).squeeze()", "survives", "square with arrays [1, 3]"),
        ("while True: pass", "crash", "hangs: more than * s of processor time"),
        ("os.fork()\nreturn x * x", "crash", "starts a process (os.fork)"),
        ("return torch.zeros(1 << 34)", "crash", "memory: out of memory (line 6 of square.py)"),
        ("raise ValueError('no')", "crash", "exception: ValueError: no (line 6 of square.py)"),
        ("os._exit(0)", "crash", "ends its process"),
        ("sys.exit(0)", "crash", "exit: your code ended the process"),
        ("return x.sum()", "refused", "bad-output: "),
        ("return None", "refused", "bad-output: returned None"),
        ("return (", "crash", "syntax: square.py:"),
    ],
)
def test_each_end_of_a_change_has_its_own_words(course, body, outcome, words):
    tried = outcomes(course, program(body))
    assert tried.outcome == outcome
    head, _, tail = words.partition("*")
    assert tried.words.startswith(head) and tail in tried.words


def test_what_a_change_prints_is_counted_and_changes_nothing(course, capfd):
    tried = outcomes(course, program("print('x' * 99)\nreturn x * x"))
    assert tried.outcome == "equivalent"
    assert tried.printed and not tried.printed % 100
    assert "xxx" not in capfd.readouterr().out


def test_a_program_that_remembers_is_told_from_the_original(course):
    body = "key = x.shape\nif key not in seen: seen[key] = x * x\nreturn seen[key]"
    source = program(body).replace("def square(x)", "def square(x, seen={})")
    assert outcomes(course, source).outcome in ("caught", "survives")


def test_answers_are_known_to_calls_that_begin_alike():
    task = load("elbo-gaussian-kl")
    subject = subject_of(task, task.reference.solution, ROOT / "reference" / task.id)
    episodes, pairs = subject.answers.episodes, 0
    calls = [each.exchanges[0].arrays for each in episodes if each.target == "kl_std_normal"]
    for first, second in itertools.combinations([call for call in calls if len(call) == 2], 2):
        same = [np.array_equal(*pair) for pair in zip(first, second, strict=True)]
        if sum(same) == 1 and all(len(array) > 1 for array in first):
            place = same.index(False)
            pairs += np.array_equal(first[place][0], second[place][0])
    assert pairs > 1


def test_the_small_course_has_squeezes_as_survivors_alone(course):
    found = measured(course)
    assert len(found.programs) == 3
    assert found.counts["caught"] > 20
    kinds = {item.change.operator for item in found.survivors}
    assert kinds <= {"squeeze", "state", "bound", "float32"}
    assert 0.5 < found.score < 1
    assert len(found.problems) == len(found.survivors)
    text = str(found.problems[0])
    assert "solution.py:" in text
    assert "let a check catch it, or say in equivalent.yaml why it is right" in text


def listing(course, *entries):
    lines = ["equivalent:"]
    for name, reason in entries:
        lines.append(f"  - mutant: '{name}'")
        lines += [f"    reason: {reason}"] if reason else []
    folder = course / "reference" / "square"
    (folder / "equivalent.yaml").write_text("\n".join([*lines, ""]))


def test_an_excused_survivor_is_no_complaint_any_more(course):
    before = measured(course)
    listing(course, *((item.change.name, "agreed for this test") for item in before.survivors))
    after = measured(course)
    assert (after.problems, after.survivors, after.score) == ((), (), 1.0)
    assert len(after.excused) == len(before.survivors)
    listing(course, ("*", "agreed for this test, all of them"))
    assert measured(course).problems == ()


def said(course, *entries):
    listing(course, *entries)
    return [
        str(problem)
        for problem in measured(course).problems
        if "equivalent.yaml:" in str(problem)[: str(problem).index(": ")]
    ]


def test_entries_that_are_wrong_are_named_with_line_and_remedy(course):
    found = measured(course)
    caught = next(item for item in found.tried if item.outcome == "caught")
    survivor = found.survivors[0].change.name
    wrong = survivor[:-2] + "zz"
    reason = "agreed for this test"
    path = course / "reference" / "square" / "equivalent.yaml"
    entries = [(wrong, reason), (caught.change.name, reason), (survivor, reason)]
    first, second, third = said(course, *entries, (survivor, reason))
    assert first.startswith(f"{path}:2:13: no mutant is called '{wrong}'; did you mean")
    assert first.endswith("(remove the entry, or copy a name from the output of `verify --mutate`)")
    name = caught.change.name
    assert second == (
        f"{path}:4:13: '{name}' is caught by {caught.check}: it is not equivalent "
        "(remove the entry)"
    )
    assert third == f"{path}:8:13: '{survivor}' stands twice (keep one of them)"
    (nothing,) = said(course, ("*/cube/*", reason))
    assert nothing.startswith(f"{path}:2:13: no mutant is called '*/cube/*' (remove the entry")


@pytest.mark.parametrize(
    ("reason", "words"),
    [("", "equivalent[0].reason is missing (add `reason:`)"), ("same", "equivalent[0].reason")],
)
def test_an_entry_needs_a_reason(course, reason, words):
    listing(course, ("solution/square/squeeze-000000", reason))
    with pytest.raises(SpecError) as caught:
        equivalents.listed(course / "reference" / "square")
    (problem,) = caught.value.problems
    assert problem.line in (2, 3)
    assert words in str(problem)


def test_a_program_that_cannot_be_parsed_is_named(course):
    (course / "reference" / "square" / "variants" / "powers.py").write_text("def square(x:\n")
    with pytest.raises(SpecError) as caught:
        measured(course)
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"{course}/reference/square/variants/powers.py:1:1: powers of")
    assert "cannot be parsed" in problem.message and problem.remedy


def test_a_sample_is_the_same_in_every_run(course):
    first, second = measured(course, 5), measured(course, 5)
    names = [item.change.name for item in first.tried]
    assert names == [item.change.name for item in second.tried]
    assert len(names) == 5


def test_the_command_writes_both_tables_and_their_section(course, tmp_path, capsys):
    results = tmp_path / "results"
    places = ["--tasks", str(course / "tasks"), "--reference", str(course / "reference")]
    words = ["verify", "square", "--mutate", *places, "--results", str(results), "--jobs", "1"]
    assert main([*words, "--json"]) == 1
    captured = capsys.readouterr()
    (told,) = json.loads(captured.out)["tasks"]
    assert told["survivors"] and told["outcomes"]["caught"]
    assert "square: " in captured.err and "  ! " in captured.err
    rows = read_csv(Results(results).figure("mutation.csv"), page.COLUMNS)
    assert [row["check"] for row in rows] == ["", "value", "slope", "sum"]
    survivors = read_csv(Results(results).figure("survivors.csv"), page.SURVIVOR_COLUMNS)
    assert len(survivors) == len(told["survivors"])
    text = Results(results).figure("verification.md").read_text()
    assert "## Automatic mutants" in text
    version = loaded(course).spec.version
    assert f"| square | {version} | {told['mutants']} |" in text


def test_programs_of_variants_are_named_by_their_file(course):
    task = loaded(course)
    names = {change.name.partition("/")[0] for change in strength.changes(task, course)}
    assert names == {"solution", "powers", "products"}


def test_a_change_of_an_unmeasured_function_is_untried(course):
    task, folder = loaded(course), course / "reference" / "square"
    source = task.reference.solution.files["square.py"] + b"\n\ndef unused(x):\n    return x + 1\n"
    whole = Program("square", "reference", {"square.py": source})
    found = [c for c in Source(task, whole, folder).changes(strength.OPERATORS)]
    tried = try_all(subject_of(task, whole, folder), [c for c in found if c.unit == "unused"])
    assert tried
    assert {item.outcome for item in tried} == {"untried"}
