"""grades.json: the whole gradebook as one JSON document, for the instructor and for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from harness.arrays import finite_or_text
from harness.files import write_text
from harness.marking.gradebook import Gradebook
from harness.report.marks import number
from harness.report.sanitise import EXAMPLE_LIMIT, clean

#: 1: first format.
FORMAT = 1


def document(gradebook: Gradebook) -> dict[str, Any]:
    """The document of ``grade`` and ``score``: its head, the run, the submissions, circumstances.

    Everything but ``circumstances``, which comes last, is the same for equal gradebooks. Texts are
    sanitised, except that a submission's ``name`` stays as found, since it identifies the subject;
    numbers that are not finite are ``"nan"``, ``"inf"`` or ``"-inf"``; a hidden check has no
    example.
    """
    body = gradebook.to_json()
    for row in body["submissions"]:
        for key in ("points", "max_points", "mark"):
            row[key] = number(row[key])
        for task in row["tasks"]:
            task["points"], task["max_points"] = number(task["points"]), number(task["max_points"])
            task["checks"] = [_check(check) for check in task["checks"]]
    names = [row["name"] for row in body["submissions"]]
    safe: dict[str, Any] = {key: json_value(value) for key, value in body.items()}
    for row, name in zip(safe["submissions"], names, strict=True):
        row["name"] = name
    head = {"format": FORMAT, "harness": gradebook.run.harness, "commit": gradebook.run.commit}
    return {**json_value(head), **safe}


def _check(check: Mapping[str, Any]) -> dict[str, Any]:
    """A check's record: id first, its mappings in one order, no example where it is hidden."""
    example = check["example"] if check["visibility"] == "visible" else None
    points = None if check["points"] is None else number(check["points"])
    return {
        "id": check["id"],
        **check,
        "points": points,
        "max_points": number(check["max_points"]),
        "evidence": _in_order(check["evidence"]),
        # numbers of an example have a file of their own
        "example": _in_order(example and {key: example[key] for key in example if key != "arrays"}),
    }


def _in_order(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | list):  # most are: it is quick
        return value
    if isinstance(value, Mapping):
        return {key: _in_order(value[key]) for key in sorted(value, key=str)}
    return value


def json_value(value: Any) -> Any:
    """The value as JSON can hold it: sanitised texts, finite numbers or their names.

    What has no JSON form becomes its type's name in angle brackets: a figure that nobody can read
    must not take the report away.
    """
    form = type(value)  # the most frequent first: a class has hundreds of thousands
    if form is str:
        return clean(value, EXAMPLE_LIMIT, keep="\n\t")
    if value is None or form is int or form is bool:
        return value
    if form is float:
        return value if math.isfinite(value) else finite_or_text(value)
    if form is dict:
        return {_key(str(key)): json_value(item) for key, item in value.items()}
    if form is list or form is tuple:
        return [json_value(item) for item in value]
    return _of_rare_type(value)


def _of_rare_type(value: Any) -> Any:
    """:func:`json_value` of what is none of JSON's own types, but may be derived from one."""
    if isinstance(value, str):
        return clean(value, EXAMPLE_LIMIT, keep="\n\t")
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else finite_or_text(value)
    if isinstance(value, Mapping):
        return {_key(str(key)): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    return f"<{type(value).__name__}>"


@lru_cache(maxsize=1024)  # the same few keys stand in every record
def _key(text: str) -> str:
    return clean(text, EXAMPLE_LIMIT)


def dump(value: Mapping[str, Any]) -> str:
    """JSON text in ASCII: a line for every key, and for every item of a list right below one.

    Raises:
        ValueError: a number is not finite.
    """
    members = [f"{json.dumps(key)}: {_lines(item)}" for key, item in value.items()]
    return "{\n" + ",\n".join(members) + "\n}\n"


def _lines(item: object) -> str:
    if isinstance(item, list) and item:
        return "[\n" + ",\n".join(json.dumps(part, allow_nan=False) for part in item) + "\n]"
    return json.dumps(item, allow_nan=False)


def write(gradebook: Gradebook, path: Path) -> Path:
    """Write the document, whole or not at all; returns the path."""
    return write_text(path, dump(document(gradebook)))
