"""What a statement shows of a task's data: its domain and its worked example, between marks.

The text between ``<!-- domain -->`` and ``<!-- /domain -->`` of a README.md is written from
task.yaml, that between ``<!-- example -->`` and ``<!-- /example -->`` from example.yaml, so the
statement cannot say another thing than what is measured.
"""

from __future__ import annotations

from harness.errors import Problem, SpecError
from harness.spec import example as examples
from harness.spec.domain import (
    Bits,
    Divisor,
    Domain,
    Functions,
    Index,
    LogSimplex,
    Normal,
    OneHot,
    Prefix,
    Simplex,
    Sizes,
    Uniform,
    Values,
)
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
    rows = [(f"`{axis}`", in_words(sizes)) for axis, sizes in domain.sizes.items()]
    rows += [(f"`{name}`", in_words(law)) for name, law in domain.values.items()]
    lines = ["| size or argument | from all of |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {words} |" for name, words in rows)])


def in_words(law: Values | Sizes) -> str:  # noqa: PLR0911 - one return for each law
    """What the statement says of the sizes of an axis or of the values of an argument."""
    match law:
        case Sizes():
            return _sizes(law)
        case Uniform():
            return _interval(law)
        case Normal():
            return "standard normal noise"
        case Bits(some=some):
            return "0 or 1; 1 at least once along the last axis" if some else "0 or 1"
        case Simplex():
            return _probabilities(law)
        case LogSimplex(least=least):
            first = f"{_number(float(least))} to 0"
            return f"logarithms of probabilities, {first}; those of the last axis sum to 1"
        case OneHot():
            return "along the last axis a 1 among zeros"
        case Index(below=below):
            return f"whole numbers from 0 to {below.replace('*', '·')} − 1"
        case Prefix():
            return "true up to some place of the last axis, false after it; true at least once"
        case Divisor(of=of):
            return f"a divisor of {of}, from 1 to {of} itself"
        case Functions(names=names):
            return ", ".join(f"`{name}`" for name in names)
    raise TypeError(f"no words for {law!r}")


def _sizes(law: Sizes) -> str:
    text = f"{law.least} to {law.most}" if law.least < law.most else f"{law.least}"
    if (bound := law.bound) is None:
        return text
    return f"{text}, {'larger' if bound.gap else 'not smaller'} than `{bound.axis}`"


def _interval(law: Uniform) -> str:
    least, most = _number(law.least), _number(law.most)
    text = f"{least} to {most}" if law.least < law.most else least
    if law.also:
        text += ", also " + ", ".join(_number(float(value)) for value in law.also)
    return f"{text} ({law.meaning})" if law.meaning else text


def _probabilities(law: Simplex) -> str:
    values = f", {_number(law.least)} to 1;" if law.least else ", 0 among them;"
    text = f"probabilities{values} the last axis sums to 1"
    return f"{text}; any finite numbers where `{law.unless}` is true" if law.unless else text


def _number(value: float) -> str:
    text = {float("inf"): "∞", float("-inf"): "−∞"}.get(value, f"{value:.12g}")
    return text.replace("-", "−")
