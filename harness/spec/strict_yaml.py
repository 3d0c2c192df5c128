"""YAML as the specs use it: plain data, no surprises, every problem with its place in the file.

The scalars are those of YAML 1.2's core schema, decimal only: ``on`` and ``1:30`` are strings,
``1e-3`` is a number. Anchors, aliases, tags, merge keys, duplicate keys, non-finite numbers
and further documents are refused. What is left is validated as JSON would be, so a list may
become a tuple and a string an enum member of a strict model.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from harness.errors import Problem, SpecError
from harness.spec.complaints import Location, Position, complaints, shown

M = TypeVar("M", bound=BaseModel)

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
_TOO_LARGE = (f"the file is larger than {MAX_BYTES // 1024} KiB", "split it")
_MAX_DIGITS = 100
_NULL = re.compile(r"null|Null|NULL|~|")
_BOOL = re.compile(r"(true|True|TRUE)|false|False|FALSE")
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NON_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
#: Tabs, marks of byte order, rare line breaks, question marks that end no word and comments right
#: after `|` or `>`: libyaml allows other uses of them than PyYAML.
_READ_APART = re.compile(r"(?<!\w)\?|[\t\r\x85\u2028\u2029\ufeff]|[|>][-+0-9]*#")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def load(path: Path, model: type[M]) -> M:
    """Read and validate one spec file.

    Raises:
        SpecError: every problem of the file, sorted by position.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or error}"
        raise SpecError([Problem(str(path), 1, 1, message, "check its path and mode")]) from None
    if len(content) > MAX_BYTES:
        raise SpecError([Problem(str(path), 1, 1, *_TOO_LARGE)])
    try:
        return load_text(content.decode().removeprefix("\ufeff"), str(path), model)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode().removeprefix("\ufeff")
        message = f"byte 0x{content[error.start]:02x} is not UTF-8"
        place = (str(path), *_line_col(before))
        raise SpecError([Problem(*place, message, "save the file as UTF-8")]) from None


def load_text(text: str, file: str, model: type[M]) -> M:
    """Validate the text of a spec; ``file`` is only for the messages.

    Raises:
        SpecError: every problem of the text, sorted by position.
    """
    document = _read(text, file)
    result: M | None = None
    if not document.fatal:
        try:
            result = model.model_validate_json(json.dumps(document.data), strict=True)
        except ValidationError as error:
            for complaint in complaints(error, document, model):
                document.add(*complaint)
    if document.problems or result is None:
        raise SpecError(
            sorted(set(document.problems), key=lambda problem: (problem.line, problem.col))
        )
    return result


def positions(text: str, file: str = "<text>") -> Mapping[Location, Position]:
    """Line and column, from 1, of every value of a spec, by its path from the root ``()``.

    Raises:
        SpecError: the text is not YAML, or uses a feature that is refused.
    """
    document = _read(text, file)
    if document.problems:
        raise SpecError(sorted(document.problems, key=lambda problem: (problem.line, problem.col)))
    return document.values


@dataclass
class _Document:
    """One document: its data, the position of every key and value, and its problems.

    Attributes:
        fatal: whether it could not be read to its end, so that validating it is pointless.
        refused: paths of the values that were reported already.
    """

    file: str
    data: object = None
    fatal: bool = False
    problems: list[Problem] = field(default_factory=list)
    values: dict[Location, Position] = field(default_factory=dict)
    keys: dict[Location, Position] = field(default_factory=dict)
    refused: set[Location] = field(default_factory=set)

    def add(self, position: Position, message: str, remedy: str) -> None:
        self.problems.append(Problem(self.file, *position, message, remedy))

    def read(self, text: str) -> None:
        try:
            self._read(_Loader(text, self))
        except yaml.reader.ReaderError as error:
            message = f"the character {chr(error.character)!a} is not allowed"
            self.give_up(_line_col(text[: error.position]), message, "remove it")
        except yaml.composer.ComposerError as error:
            self.give_up(_position(error.problem_mark), str(error.problem), "make it simpler")
        except yaml.MarkedYAMLError as error:
            problem = error.problem or error.context or ""
            place = _position(error.problem_mark or error.context_mark)
            self.give_up(place, f"this is not valid YAML: {problem}", _syntax_remedy(problem))

    def _read(self, loader: _Loader) -> None:
        try:
            self.compose(loader)
        except (ValueError, OverflowError):  # from chr(): PyYAML does not check an escape's range
            place = (loader.line + 1, loader.column + 1)
            self.give_up(place, "an escape names no character", "write the character itself")
        finally:
            loader.dispose()

    def compose(self, loader: _Composing) -> None:
        if not loader.check_node():
            return self.give_up((1, 1), "the file is empty", "fill in its fields")
        node = loader.get_node()
        assert node is not None
        self.data = self._value(node, (), loader.refused)
        if loader.check_node():
            place = _position(loader.next_event().start_mark)
            self.add(place, "a second document begins here", "keep one document a file")
        return None

    def give_up(self, position: Position, message: str, remedy: str) -> None:
        self.fatal = True
        self.add(position, message, remedy)

    def _value(self, node: yaml.Node, path: Location, refused: Mapping[int, yaml.Node]) -> object:
        self.values[path] = _position(node.start_mark)
        if id(node) in refused:
            self.refused.add(path)
        if isinstance(node, yaml.SequenceNode):
            items = enumerate(node.value)
            return [self._value(item, (*path, index), refused) for index, item in items]
        if isinstance(node, yaml.MappingNode):
            entries = self._entries(node, path)
            return {key: self._value(value, (*path, key), refused) for key, value in entries}
        assert isinstance(node, yaml.ScalarNode)
        try:
            return _scalar(node)
        except ValueError as error:
            self.refused.add(path)
            self.add(self.values[path], str(error), "write another value")
            return None

    def _entries(self, node: yaml.MappingNode, path: Location) -> Iterator[tuple[str, yaml.Node]]:
        for key_node, value in node.value:
            place = _position(key_node.start_mark)
            key = _key(key_node)
            if key is None:
                seen = f" {key_node.value!a}" if isinstance(key_node, yaml.ScalarNode) else ""
                message = f"the key{seen} is not a string"
                self.add(place, message, "write a name, or put it in quotes")
            elif key == "<<" and not _is_quoted(key_node):
                self.add(place, "merge keys are refused", "write the fields out")
            elif (*path, key) in self.keys:
                line = self.keys[*path, key][0]
                message = f"the key {shown(key)} stands twice, first in line {line}"
                self.add(place, message, "keep one of them")
            else:
                self.keys[*path, key] = place
                yield key, value


class _Composing(yaml.composer.Composer):
    """Composes nodes; reports anchors, aliases and tags as problems instead of acting on them."""

    def __init__(self, document: _Document) -> None:
        yaml.composer.Composer.__init__(self)
        self.refused: dict[int, yaml.Node] = {}
        self._document = document
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.next_event()
        mark: yaml.Mark = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            self.next_event(take=True)
            self._note(mark, f"the alias *{event.anchor}", "repeat the value")
            return self._refuse(yaml.ScalarNode("", "", mark, mark))
        if event.anchor is not None:
            remedy = "remove it and repeat the value where it is used"
            self._note(mark, f"the anchor &{event.anchor}", remedy)
            event.anchor = None
        tag, event.tag = event.tag, None
        if self._depth >= MAX_DEPTH:
            problem = f"nested deeper than {MAX_DEPTH} levels"
            raise yaml.composer.ComposerError(None, None, problem, mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        if tag is not None and node is not None:
            short = tag.replace("tag:yaml.org,2002:", "!!")
            self._note(mark, f"the tag {shown(short)}", "remove it")
            self._refuse(node)
        return node

    def next_event(self, *, take: bool = False) -> Any:
        stream: Any = self
        return stream.get_event() if take else stream.peek_event()

    def _note(self, mark: yaml.Mark, what: str, remedy: str) -> None:
        self._document.add(_position(mark), f"{what} is refused", remedy)

    def _refuse(self, node: yaml.Node) -> yaml.Node:
        self.refused[id(node)] = node
        return node


class _Loader(_Composing, yaml.SafeLoader):
    """Reads by Python alone."""

    def __init__(self, text: str, document: _Document) -> None:
        yaml.SafeLoader.__init__(self, text)
        _Composing.__init__(self, document)


if yaml.__with_libyaml__:

    class _QuickLoader(_Composing, yaml.CSafeLoader):
        """Reads by libyaml, six times as fast."""

        def __init__(self, text: str, document: _Document) -> None:
            yaml.CSafeLoader.__init__(self, text)
            _Composing.__init__(self, document)

        def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
            """See :meth:`_Composing.compose_node`.

            Raises:
                YAMLError: of an unquoted text between brackets PyYAML says something else: it ends
                    at a question mark, and an empty one has another place.
            """
            node = super().compose_node(parent, index)
            between_brackets = isinstance(parent, yaml.CollectionNode) and parent.flow_style
            if between_brackets and isinstance(node, yaml.ScalarNode) and not node.style:
                if not node.value or "?" in node.value:
                    raise yaml.YAMLError("to be read by PyYAML")
            return node


def _read(text: str, file: str) -> _Document:
    """A document with its problems, whose words are PyYAML's also where libyaml is installed."""
    document = _Document(file)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        document.give_up((1, 1), *_TOO_LARGE)
        return document
    if yaml.__with_libyaml__ and not _READ_APART.search(text):
        with suppress(yaml.YAMLError, ValueError, OverflowError):
            document.compose(_QuickLoader(text, document))
            if not document.problems:
                return document
        document = _Document(file)
    document.read(text)
    return document


def _syntax_remedy(problem: str) -> str:
    """What to do about what PyYAML says; the two slips that are made most have words."""
    if problem.startswith("mapping values are not allowed"):
        return "put a text that holds a colon in quotes, or correct the indentation"
    if "'\\t'" in problem:
        return "indent with spaces instead of tabs"
    return "correct the syntax"


def _scalar(node: yaml.ScalarNode) -> object:
    """The value of a scalar; raises ValueError with the reason why it is refused."""
    text: str = node.value
    if _SURROGATE.search(text):
        raise ValueError("half of a surrogate pair is no character")
    if node.style:
        return text
    if _NULL.fullmatch(text):
        return None
    if match := _BOOL.fullmatch(text):
        return match[1] is not None
    if _NON_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a finite number")
    if _INT.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            raise ValueError(f"a number of {len(text)} digits is refused")
        return int(text)
    if _FLOAT.fullmatch(text) is None:
        return text
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{shown(text)} is too large for a number")
    return number


def _key(node: yaml.Node) -> str | None:
    """The text of a key; None where it is not a string."""
    try:
        key = _scalar(node) if isinstance(node, yaml.ScalarNode) else None
    except ValueError:
        return None
    return key if isinstance(key, str) else None


def _is_quoted(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and bool(node.style)


def _position(mark: yaml.Mark | None) -> Position:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _line_col(before: str) -> Position:
    """Line and column, from 1, of the character that follows this text."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")
