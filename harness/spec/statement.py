"""What a statement shows of a task's data: its domain and its worked example, between marks.

The text between ``<!-- domain -->`` and ``<!-- /domain -->`` of a README.md is written from
task.yaml, that between ``<!-- example -->`` and ``<!-- /example -->`` from example.yaml, so the
statement cannot say another thing than what is measured.
"""

from __future__ import annotations

from harness.errors import Problem, SpecError
from harness.spec import domain as domains
from harness.spec import example as examples
from harness.spec.domain import Domain
from harness.spec.load import LoadedTask


def rendered(text: str, task: LoadedTask) -> str:
    """A statement with its marked parts written anew.

    Raises:
        SpecError: the task has a domain or an example, and the statement has no place for it.
    """
    if task.spec.domain is not None:
        text = _replaced(text, "domain", table(task.spec.domain), task)
    if task.example is not None:
        shown = examples.in_words(task.example, task.example_calls)
        text = _replaced(text, "example", f"```\n{shown}\n```", task)
    return text


def _replaced(text: str, name: str, content: str, task: LoadedTask) -> str:
    first, last = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    if text.count(first) != 1 or text.count(last) != 1:
        path = task.path.replace("task.yaml", "README.md")
        message = f"the place of the {name} is not marked, or marked more than once"
        remedy = f"write <!-- {name} --> and <!-- /{name} -->, each on a line of its own, once"
        raise SpecError([Problem(path, 1, 1, message, remedy)])
    return text[: text.index(first) + len(first)] + content + "\n" + text[text.index(last) :]


def table(domain: Domain) -> str:
    """The domain as a Markdown table."""
    rows = [(f"`{axis}`", domains.in_words(sizes)) for axis, sizes in domain.sizes.items()]
    rows += [(f"`{name}`", domains.in_words(law)) for name, law in domain.values.items()]
    lines = ["| size or argument | from all of |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {words} |" for name, words in rows)])
