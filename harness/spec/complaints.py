"""Translates pydantic's errors about a spec into plain words, each with its place in the file."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Protocol, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Location: TypeAlias = tuple[str | int, ...]
Position: TypeAlias = tuple[int, int]

_MAX_SHOWN = 60
_DISCRIMINATOR = "kind"
#: What the pattern of an id asks for, in words.
_ID_PATTERN = "^[a-z][a-z0-9-]*$"
_ID_WORDS = "be small letters, digits and hyphens, a letter first"
#: What pydantic calls a value that is no mapping, and no list.
_OF_MAPPINGS = frozenset({"model_type", "model_attributes_type", "dict_type"})
_OF_LISTS = frozenset({"tuple_type", "list_type"})
#: A text that means the same between brackets.
_PLAIN = re.compile(r"[\w.%/-][\w .,%/-]{0,59}")
#: A field that a message names.
_NAMED = re.compile(r"`([a-z_.]+)(?:: [^`]*)?`")


class Located(Protocol):
    """A parsed document: its data, and the positions of its keys and values.

    Attributes:
        values, keys: path from the root -> line and column, from 1.
        refused: paths whose values were reported already; nothing more is said about them.
    """

    data: object
    values: dict[Location, Position]
    keys: dict[Location, Position]
    refused: set[Location]


def complaints(
    error: ValidationError, document: Located, model: type[BaseModel]
) -> Iterator[tuple[Position, str, str]]:
    """The position, message and remedy for every path that pydantic complains about.

    A path with several errors gets one message. Values that were refused when the document was
    read, and what lies within them, are left out.
    """
    grouped: dict[Location, tuple[Position, list[str], str]] = {}
    for item in error.errors(include_url=False):
        kind, loc = item["type"], item["loc"]
        if kind == "too_short" and len(item["input"]) >= item["ctx"]["min_length"]:
            continue  # there are enough, of which some are not in order: each is a complaint
        if kind == "union_tag_not_found":
            loc = (*loc, _DISCRIMINATOR)
        if kind in ("missing", "union_tag_not_found"):
            parent = _path(loc[:-1], document.data)
            path = (*parent, loc[-1])
            place, message = document.values[parent], f"{_name(path)} is missing"
            kinds = [] if kind == "missing" else _tags(model, item["loc"])
            remedy = f"add `{loc[-1]}:`{', one of ' if kinds else ''}{', '.join(kinds)}"
        elif kind == "extra_forbidden":
            path = _path(loc, document.data)
            place = document.keys.get(path, document.values[path])
            message = f"the field {_name(path)} is not known"
            remedy = _did_you_mean(str(loc[-1]), _fields(model, loc[:-1]), "remove it")
        else:
            path = _path(loc, document.data)
            place, message, remedy = _wrong_value(item, path, document, model)
        checked = path[:-1] if kind == "extra_forbidden" else path
        if not any(checked[:length] in document.refused for length in range(len(checked) + 1)):
            grouped.setdefault(path, (place, [], remedy))[1].append(message)
    for place, messages, remedy in grouped.values():
        yield place, "; or ".join(messages), remedy


def _wrong_value(
    item: ErrorDetails, path: Location, document: Located, model: type[BaseModel]
) -> tuple[Position, str, str]:
    kind, value = item["type"], item["input"]
    context = item.get("ctx", {})
    place = document.values[path]
    if kind == "value_error":
        where, message = f"{_name(path)}: " if path else "", str(context["error"])
        return _of_named(message, path, document), where + message, "correct the fields named here"
    if kind == "union_tag_invalid":
        path, value = (*path, _DISCRIMINATOR), context["tag"]
        place = document.values.get(path, place)
    if item["loc"] and item["loc"][-1] == "[key]":
        place = document.keys.get(path, place)
    listed = str(context.get("expected_tags", context.get("expected", "")))
    if expected := [choice.strip("'") for choice in re.findall(r"'[^']*'|-?[0-9]+", listed)]:
        remedy = _did_you_mean(str(value), expected, "choose one of them")
        return place, f"{_name(path)} is {shown(value)}, not one of {', '.join(expected)}", remedy
    requirement = item["msg"].partition(" should ")[2] or item["msg"]
    requirement = re.sub(r"an object|a valid dictionary", "a mapping", requirement)
    requirement = re.sub(r"a valid (array|list|tuple)", "a list", requirement)
    requirement = re.sub(r" after validation, not \d+", "", requirement)
    if context.get("pattern") == _ID_PATTERN:
        requirement = _ID_WORDS
    remedy = "change the value"
    if kind == "string_type" and isinstance(value, bool | int | float):
        remedy = "put it in quotes"
    elif kind == "bool_type":
        remedy = "write true or false"
    elif kind in ("int_type", "float_type") and isinstance(value, str):
        remedy = "write a decimal number without quotes"
    elif kind in _OF_MAPPINGS or kind in _OF_LISTS:
        remedy = _wrapped(value, item["loc"], model, is_list=kind in _OF_LISTS) or remedy
    return place, f"{_name(path)} is {shown(value)}, but should {requirement}", remedy


def _wrapped(value: object, loc: Location, model: type[BaseModel], *, is_list: bool) -> str:
    """How a value is written where a list or a mapping is wanted; empty where that is not known."""
    if is_list and isinstance(value, dict):
        return "write a list of them, each behind `- `"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value)
    if not _PLAIN.fullmatch(text):
        return ""
    inner = list(_models(model, (*loc, 0) if is_list else loc))
    needed = [
        info.alias or name
        for name, info in (inner[0].model_fields.items() if len(inner) == 1 else ())
        if info.is_required()
    ]
    if inner and len(needed) != 1:
        return ""
    text = f"{{{needed[0]}: {text}}}" if needed else text
    return f"write [{text}]" if is_list else f"write {text}" if needed else ""


def _of_named(message: str, path: Location, document: Located) -> Position:
    """The place of the first field that a message names, or else of what it is about."""
    for name in _NAMED.findall(message):
        parts = tuple(name.split("."))
        # `late.cap` within `late` is named from the root
        for found in ((*path, *parts), parts):
            if found in document.keys:
                return document.keys[found]
    return document.values[path]


def _path(loc: Location, data: object) -> Location:
    """A pydantic location as a path in the data: without the tags of the unions it goes through."""
    path: Location = ()
    for index, part in enumerate(loc):
        last = index == len(loc) - 1
        if isinstance(data, dict) and part in data:
            if last or data.get(_DISCRIMINATOR) != part:
                path, data = (*path, part), data[part]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            path, data = (*path, part), data[part]
    return path


def _models(model: type[BaseModel], loc: Location) -> Iterator[type[BaseModel]]:
    """The models that a mapping at a pydantic location may be validated by."""
    models: list[object] = [model]
    for part in loc:
        models = [inner for outer in models for inner in _step(outer, part)]
    yield from (member for member in _members(models) if _is_model(member))


def _fields(model: type[BaseModel], loc: Location) -> list[str]:
    """The names of the fields that a mapping at a pydantic location may have."""
    return [
        info.alias or name
        for candidate in _models(model, loc)
        for name, info in candidate.model_fields.items()
    ]


def _tags(model: type[BaseModel], loc: Location) -> list[str]:
    """The values that ``kind`` may have in a mapping at a pydantic location."""
    annotations = (
        candidate.model_fields[_DISCRIMINATOR].annotation for candidate in _models(model, loc)
    )
    return [str(tag) for annotation in annotations for tag in get_args(annotation)]


def _step(annotation: object, part: str | int) -> Iterator[object]:
    """The annotations that one part of a pydantic location leads to from an annotation.

    The part is a field's name, an index, or the tag of a union's member.
    """
    for member in _members([annotation]):
        args = get_args(member)
        if _is_model(member):
            tag = member.model_fields.get(_DISCRIMINATOR)
            if tag is not None and part in get_args(tag.annotation):
                yield member
            yield from (
                info.annotation
                for name, info in member.model_fields.items()
                if part == (info.alias or name)
            )
        elif args and isinstance(part, int):
            fixed = get_origin(member) is tuple and ... not in args
            yield args[min(part, len(args) - 1) if fixed else 0]
        elif args and get_origin(member) is not Literal:
            yield args[-1]


def _members(annotations: Iterable[object]) -> Iterator[Any]:
    """The annotations with ``Annotated`` removed and unions replaced by their members."""
    for annotation in annotations:
        origin = get_origin(annotation)
        if origin is Annotated:
            yield from _members(get_args(annotation)[:1])
        elif origin in (Union, UnionType):
            yield from _members(get_args(annotation))
        else:
            yield annotation


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _did_you_mean(written: str, allowed: Sequence[str], otherwise: str) -> str:
    close = difflib.get_close_matches(written, allowed, n=1)
    return f"did you mean {close[0]}?" if close else otherwise


def _name(path: Location) -> str:
    named = (part if isinstance(part, int) or part.isprintable() else shown(part) for part in path)
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in named)
    return "".join(parts).lstrip(".") or "the file"


def shown(value: object) -> str:
    """A value as a message quotes it: short, and containers by their size."""
    match value:
        case dict():
            return "a mapping"
        case list():
            return f"a list of {len(value)}"
        case None | bool():
            return json.dumps(value)
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
