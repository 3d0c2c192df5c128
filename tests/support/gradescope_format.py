"""The rules of Gradescope's results.json, as far as they can be told from the file itself.

Gradescope reads leniently and fails late: a text in the place of a number, a NaN or an unknown
visibility shows only as a missing result. So the tests of what writes such files check them here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from harness.report.sanitise import clean

FORMATS = ("text", "html", "simple_format", "md", "ansi")
VISIBILITIES = ("hidden", "after_due_date", "after_published", "visible")
STATUSES = ("passed", "failed")
ORDERS = ("asc", "desc")

_ANY, _TEXT, _NUMBER, _MAPPING, _LIST = "anything", "a text", "a number", "a mapping", "a list"
# Key -> what it must hold: one of the words above or the values to choose from.
_Rules = Mapping[str, str | tuple[str, ...]]


def _top_rules() -> _Rules:
    return {
        **dict.fromkeys(("score", "execution_time"), _NUMBER),
        **dict.fromkeys(("output_format", "test_output_format", "test_name_format"), FORMATS),
        **dict.fromkeys(("visibility", "stdout_visibility"), VISIBILITIES),
        **dict.fromkeys(("tests", "leaderboard"), _LIST),
        **{"output": _TEXT, "extra_data": _MAPPING},
    }


def _test_rules() -> _Rules:
    return {
        **dict.fromkeys(("score", "max_score"), _NUMBER),
        **dict.fromkeys(("name", "number", "output"), _TEXT),
        **dict.fromkeys(("name_format", "output_format"), FORMATS),
        **{"status": STATUSES, "visibility": VISIBILITIES, "tags": _LIST, "extra_data": _MAPPING},
    }


def _board_rules() -> _Rules:
    return {"name": _TEXT, "value": _ANY, "order": ORDERS}


def validate(document: object, max_points: float | None = None) -> list[str]:
    """Everything wrong with a document, one sentence each with its place; empty if it is valid.

    Args:
        max_points: the points of the assignment, which the tests' ``max_score`` must add up to.
    """
    if not isinstance(document, Mapping):
        return ["document: must be a mapping"]
    problems = [*_values(document, "document"), *_fields(document, _top_rules(), "document")]
    tests = _records(document, "tests")
    for place, test in enumerate(tests):
        problems += _test(test, f"tests[{place}]")
    for place, entry in enumerate(_records(document, "leaderboard")):
        problems += _board(entry, f"leaderboard[{place}]")
    if _is_number(seconds := document.get("execution_time")) and seconds < 0:
        problems.append("execution_time: must not be negative")
    problems += _score_is_there(document, tests)
    problems += _sums(document, tests, max_points)
    return problems


def _records(document: Mapping[str, Any], key: str) -> list[object]:
    value = document.get(key)
    return value if isinstance(value, list) else []


def _is_number(value: object) -> TypeGuard[int | float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or math.isfinite(value)


def _values(value: object, place: str) -> Iterator[str]:
    """Values anywhere in the document that JSON or a reader of it cannot take."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                yield f"{place}: the key {key!r} must be a text"
            yield from _values(item, f"{place}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _values(item, f"{place}[{index}]")
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield f"{place}: {value} is not JSON"
    elif isinstance(value, str):
        if clean(value, len(value), keep="\n\t") != value:
            yield f"{place}: the text holds control or invisible characters"
    elif not (value is None or isinstance(value, bool | int)):
        yield f"{place}: {type(value).__name__} is not JSON"


def _fields(record: Mapping[str, Any], rules: _Rules, place: str) -> Iterator[str]:
    for key, value in record.items():
        rule = rules.get(key)
        if rule is None:
            yield f"{place}.{key}: Gradescope knows no such key"
        elif isinstance(rule, tuple):
            if value not in rule:
                yield f"{place}.{key}: must be one of {', '.join(rule)}"
        elif not _holds(value, rule):
            yield f"{place}.{key}: must be {rule}"


def _holds(value: object, rule: str) -> bool:
    kinds = {_TEXT: str, _MAPPING: Mapping, _LIST: list}
    if rule == _NUMBER:
        return _is_number(value)
    return rule == _ANY or isinstance(value, kinds[rule])


def _test(test: object, place: str) -> Iterator[str]:
    if not isinstance(test, Mapping):
        yield f"{place}: must be a mapping"
        return
    yield from _fields(test, _test_rules(), place)
    score, best = test.get("score"), test.get("max_score")
    if _is_number(best) and best < 0:
        yield f"{place}.max_score: must not be negative"
    if "score" in test and "max_score" not in test:
        yield f"{place}: a score needs its max_score"
    if test.get("status") == "passed" and _is_number(score) and score != best:
        yield f"{place}: passed, but score and max_score differ"
    tags = test.get("tags")
    if isinstance(tags, list) and not all(isinstance(tag, str) for tag in tags):
        yield f"{place}.tags: must be texts"


def _board(entry: object, place: str) -> Iterator[str]:
    if not isinstance(entry, Mapping):
        yield f"{place}: must be a mapping"
        return
    yield from _fields(entry, _board_rules(), place)
    if "name" not in entry:
        yield f"{place}: must have a name"
    value = entry.get("value")
    if not (_is_number(value) or isinstance(value, str)):
        yield f"{place}.value: must be a number or a text"


def _score_is_there(document: Mapping[str, Any], tests: Sequence[object]) -> Iterator[str]:
    if "score" in document:
        return
    if not tests:
        yield "document: must have a score or tests"
    elif not all(isinstance(test, Mapping) and "score" in test for test in tests):
        yield "document: must have a score, since not every test has one"


def _sums(
    document: Mapping[str, Any], tests: Sequence[object], max_points: float | None
) -> Iterator[str]:
    scores = _numbers(tests, "score")
    bests = _numbers(tests, "max_score")
    slack = 0.5e-4 * (len(tests) + 1)  # totals are rounded to four decimals
    total = document.get("score")
    if scores and len(scores) == len(tests) and _is_number(total):
        if abs(math.fsum(scores) - total) > slack:
            yield "document.score: differs from the sum of the tests' scores"
    if max_points is not None and abs(math.fsum(bests) - max_points) > slack:
        yield f"tests: max_score must add up to {max_points}"


def _numbers(tests: Sequence[object], key: str) -> list[int | float]:
    values = [test.get(key) for test in tests if isinstance(test, Mapping)]
    return [value for value in values if _is_number(value)]
