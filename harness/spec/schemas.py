"""JSON Schemas of the files that authors write, so that an editor completes and checks them.

They are made from the models that read the files (JSON Schema, draft 2020-12), and are weaker: a
rule that relates several fields is checked by the model alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from harness.spec.checks import Model
from harness.spec.example import Example
from harness.spec.models import Assignment, Mistakes, Task
from harness.spec.schedule import Term

DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: Name of a schema -> the model that reads such a file.
MODELS: Mapping[str, type[Model]] = MappingProxyType(
    {"task": Task, "example": Example, "mistakes": Mistakes, "assignment": Assignment, "term": Term}
)


def schema(name: str) -> dict[str, Any]:
    """The schema of that name; raises KeyError."""
    return {"$schema": DIALECT, **_plain(MODELS[name].model_json_schema())}


def text(name: str) -> str:
    """The schema as the text of its file; raises KeyError."""
    return json.dumps(schema(name), indent=1, ensure_ascii=False) + "\n"


def _plain(part: Any) -> Any:
    """Without titles, which only repeat the names of fields, and without defaults of null."""
    if isinstance(part, list):
        return [_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {
        name: value
        for name, value in part.items()
        if not (name == "title" and isinstance(value, str))
        and not (name == "default" and value is None)
    }
    return {name: _plain(value) for name, value in kept.items()}
