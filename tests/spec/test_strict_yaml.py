"""The strict YAML of the specs: scalars, refusals, and messages that point at a place."""

from __future__ import annotations

import json
import math
import random
import textwrap
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from harness.errors import SpecError
from harness.spec.strict_yaml import MAX_BYTES, MAX_DEPTH, load, load_text, positions


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Anything(Strict):
    x: Any = None


class Exact(Strict):
    kind: Literal["exact"]
    c: Annotated[float, Field(gt=0, strict=False)] = 16.0
    exact: int = 0


class Ramp(Strict):
    kind: Literal["ramp", "linear-ramp"]
    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError("`low` is not below `high`")
        return self


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Limits(Strict):
    seconds: float = 1.0


class Task(Strict):
    id: Annotated[str, Field(pattern="^[a-z]+$", max_length=8)]
    tier: Literal["exact", "training", 3] = "exact"
    colour: Colour = Colour.RED
    visible: bool = True
    draws: int = 1
    either: int | str = 1
    limits: Limits | None = None
    pair: tuple[int, Limits] | None = None
    named: dict[Literal["feedback", "final"], Limits] = {}
    lists: list[Limits] = []
    some: Annotated[tuple[Limits, ...], Field(min_length=1)] = (Limits(),)
    short: Annotated[str, Field(pattern="^[a-z][a-z0-9-]*$")] = "a"
    aliased: int = Field(default=0, alias="other-name")
    checks: tuple[Annotated[Exact | Ramp, Field(discriminator="kind")], ...] = ()


def scalar(text: str) -> object:
    return load_text(f"x: {text}", "f.yaml", Anything).x


def complaints(text: str, model: type[BaseModel] = Task) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_text(text, "f", model)
    return [str(problem) for problem in caught.value.problems]


# Scalars


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, word) for word in ("on", "off", "yes", "no", "On", "NO", "y", "n")),
        ("true", True),
        ("True", True),
        ("false", False),
        ("FALSE", False),
        ("tRue", "tRue"),
        *((word, None) for word in ("", "null", "Null", "NULL", "~")),
        ("''", ""),
        ("1e-3", 1e-3),
        ("1.e-3", 1e-3),
        (".5", 0.5),
        ("-.5E+2", -50.0),
        ("+1.5", 1.5),
        ("1.", 1.0),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("1e999999999999", ...),
        *((word, word) for word in ("010", "00", "0o17", "0x1f", "0b1", "1_000", "1:30", "01.5")),
        *((word, word) for word in ("nan", "inf", "1e", ".", "e5", "-a", "2026-01-02", "=", "<<")),
        ("'1'", "1"),
        ('"true"', "true"),
        ("|\n  1\n", "1\n"),
        ("9" * 100, int("9" * 100)),
    ],
)
def test_scalars(text: str, value: object) -> None:
    if value is ...:
        assert complaints(f"x: {text}", Anything) == [
            f"f:1:4: '{text}' is too large for a number (write another value)"
        ]
        return
    seen = scalar(text)
    assert seen == value
    assert type(seen) is type(value)


@pytest.mark.parametrize("text", [".inf", "-.Inf", "+.INF", ".nan", ".NaN"])
def test_non_finite_numbers_are_refused(text: str) -> None:
    wanted = f"f:2:3: {text} is not a finite number (write another value)"
    assert complaints(f"x:\n  {text}\n", Anything) == [wanted]
    assert scalar(f"'{text}'") == text


def test_a_number_of_many_digits_is_refused() -> None:
    wanted = "f:1:4: a number of 5001 digits is refused (write another value)"
    assert complaints(f"x: 1{'0' * 5000}", Anything) == [wanted]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn"))),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.from_regex("[a-z<=]{1,5}", fullmatch=True), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_json_means_the_same_in_yaml(value: object) -> None:
    text = json.dumps({"x": value}, ensure_ascii=False)
    seen = load_text(text, "f", Anything).x
    assert json.dumps(seen) == json.dumps(value)


# What is refused


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "x: 1\nx: 2\n",
            "f:2:1: the key 'x' stands twice, first in line 1 (keep one of them)",
        ),
        (
            "x:\n  - {a: 1, 'a': 2}\n",
            "f:2:12: the key 'a' stands twice, first in line 2 (keep one of them)",
        ),
        (
            "x: &here 1\n",
            "f:1:4: the anchor &here is refused (remove it and repeat the value where it is used)",
        ),
        ("x: *there\n", "f:1:4: the alias *there is refused (repeat the value)"),
        ("x: !!int '3'\n", "f:1:4: the tag '!!int' is refused (remove it)"),
        ("x: !local {a: 1}\n", "f:1:4: the tag '!local' is refused (remove it)"),
        ("x: ! a\n", "f:1:4: the tag '!' is refused (remove it)"),
        (
            "x: !!python/object/apply:os.system [exit 1]\n",
            "f:1:4: the tag '!!python/object/apply:os.system' is refused (remove it)",
        ),
        ("x: {<<: {a: 1}}\n", "f:1:5: merge keys are refused (write the fields out)"),
        ("x: 1\n---\nx: 2\n", "f:2:1: a second document begins here (keep one document a file)"),
        ("x: {1: a}\n", "f:1:5: the key '1' is not a string (write a name, or put it in quotes)"),
        ("x: {.nan: a}\n", "f:1:5: the key '.nan' is not a string (write a name, or put it in"),
        ("x:\n  ? [1]\n  : 2\n", "f:2:5: the key is not a string (write a name, or put it in"),
        ("x: {? : 2}\n", "f:1:6: the key '' is not a string (write a name, or put it in quotes)"),
        ('x: "\\ud800"\n', "f:1:4: half of a surrogate pair is no character (write another"),
        ('x: "\\UFFFFFFFF"\n', "f:1:7: an escape names no character (write the character itself)"),
        ("", "f:1:1: the file is empty (fill in its fields)"),
        ("# nothing\n", "f:1:1: the file is empty (fill in its fields)"),
        ("---\n", "f:2:1: the file is null, but should be a mapping (change the value)"),
        ("- 1\n", "f:1:1: the file is a list of 1, but should be a mapping (change the value)"),
        ("x: [1\ny: 2\n", "f:2:2: this is not valid YAML: expected ',' or ']', but got ':'"),
        ("x: 'a\n", "f:2:1: this is not valid YAML: found unexpected end of stream"),
        ("x: \x07\n", r"f:1:4: the character '\x07' is not allowed (remove it)"),
        ("%YAML 2.0\n---\nx: 1\n", "f:1:1: this is not valid YAML: found incompatible YAML"),
        ("x: " + "[" * MAX_DEPTH, f"f:1:{MAX_DEPTH + 3}: nested deeper than 32 levels (make it"),
        ("x: 1\n" + "#" * MAX_BYTES, "f:1:1: the file is larger than 256 KiB (split it)"),
    ],
)
def test_refusals(text: str, wanted: str) -> None:
    (seen,) = complaints(text, Anything)
    assert seen.startswith(wanted)


def test_the_deepest_value_allowed() -> None:
    levels = MAX_DEPTH - 1
    assert scalar("[" * (levels - 1) + "]" * (levels - 1)) != ""
    assert complaints(f"x: {'[' * levels}0{']' * levels}", Anything)


def test_an_alias_bomb_is_not_expanded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert sum("is refused" in seen for seen in complaints("\n".join(lines))) == len(
        [f"&a{n}" for n in range(12)] + ["*a"] * 9 * 11
    )


def test_an_anchor_that_is_there_twice() -> None:
    seen = complaints("x: [&a 1, &a 2]", Anything)
    assert [each.split(" is refused")[0] for each in seen] == [
        "f:1:5: the anchor &a",
        "f:1:11: the anchor &a",
    ]


def test_tagged_and_aliased_values_are_not_complained_about_twice() -> None:
    text = "id: !!int 3\ndraws: *a\nlimits: !x {seconds: b}\n"
    assert [seen.split(" is refused")[0] for seen in complaints(text)] == [
        "f:1:5: the tag '!!int'",
        "f:2:8: the alias *a",
        "f:3:9: the tag '!x'",
    ]


def test_problems_before_a_syntax_error_are_kept() -> None:
    first, second = complaints("id: &a x\ndraws: [")
    assert first.startswith("f:1:5: the anchor &a")
    assert second.startswith("f:2:9: this is not valid YAML")


def test_a_syntax_error_in_a_second_document() -> None:
    assert len(complaints("id: a\n---\nx: [\n")) == len(["the second document"])
    (seen,) = complaints("id: a\n...\n]\n")
    assert seen.startswith("f:3:1: this is not valid YAML")


# What pydantic says, in plain words and with a place


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("draws: 2", "f:1:1: id is missing (add `id:`)"),
        ("id: a\ndraw: 2", "f:2:1: the field draw is not known (did you mean draws?)"),
        ("id: a\nqqqq: 2", "f:2:1: the field qqqq is not known (remove it)"),
        ("id: a\nother-nam: 1", "f:2:1: the field other-nam is not known (did you mean other-nam"),
        ("id: 3", "f:1:5: id is 3, but should be a valid string (put it in quotes)"),
        ("id: A", "f:1:5: id is 'A', but should match pattern '^[a-z]+$' (change the value)"),
        ("id: aaaaaaaaa", "f:1:5: id is 'aaaaaaaaa', but should have at most 8 characters (change"),
        (
            "id: a\ntier: trainig",
            "f:2:7: tier is 'trainig', not one of exact, training, 3 (did you mean training?)",
        ),
        ("id: a\ntier: 4", "f:2:7: tier is 4, not one of exact, training, 3 (choose one of them)"),
        ("id: a\ncolour: blu", "f:2:9: colour is 'blu', not one of red, blue (did you mean blue?)"),
        (
            "id: a\nvisible: on",
            "f:2:10: visible is 'on', but should be a valid boolean (write true",
        ),
        (
            "id: a\ndraws: '3'",
            "f:2:8: draws is '3', but should be a valid integer (write a decimal number without",
        ),
        ("id: a\ndraws: true", "f:2:8: draws is true, but should be a valid integer (change"),
        ("id: a\ndraws: [1, 2]", "f:2:8: draws is a list of 2, but should be a valid integer"),
        ("id: a\nchecks: {a: 1}", "f:2:9: checks is a mapping, but should be a list (write a list"),
        (
            "id: a\neither: 1.5",
            "f:2:9: either is 1.5, but should be a valid integer; or either is 1.5, but should be",
        ),
        ("id: a\nlimits: {second: 1}", "f:2:10: the field limits.second is not known (did you"),
        ("id: a\nlists: [{second: 1}]", "f:2:10: the field lists[0].second is not known (did you"),
        ("id: a\npair: [1, {second: 1}]", "f:2:12: the field pair[1].second is not known (did y"),
        ("id: a\npair: [1]", "f:2:7: pair[1] is missing (add `1:`)"),
        (
            "id: a\nnamed: {final: {second: 1}}",
            "f:2:17: the field named.final.second is not known (did you mean seconds?)",
        ),
        (
            "id: a\nnamed: {finl: {}}",
            "f:2:9: named.finl is 'finl', not one of feedback, final (did you mean final?)",
        ),
        (
            "id: a\nchecks:\n  - kind: exact\n    cc: 3",
            "f:4:5: the field checks[0].cc is not known (",
        ),
        (
            "id: a\nchecks:\n  - kind: ramp\n    exact: 3\n    low: 1\n    high: 2",
            "f:4:5: the field checks[0].exact is not known (remove it)",
        ),
        (
            "id: a\nchecks:\n  - kind: linear-ramp\n    low: 3",
            "f:3:5: checks[0].high is missing (add `high:`)",
        ),
        (
            "id: a\nchecks:\n  - kind: ram",
            "f:3:11: checks[0].kind is 'ram', not one of exact, ramp, linear-ramp (did you mean r",
        ),
        (
            "id: a\nchecks:\n  - {}",
            "f:3:5: checks[0].kind is missing (add `kind:`, one of exact, ramp, linear-ramp)",
        ),
        (
            "id: a\nchecks: [3]",
            "f:2:10: checks[0] is 3, but should be a mapping (change the value)",
        ),
        (
            "id: a\nchecks:\n  - kind: exact\n    exact: x",
            "f:4:12: checks[0].exact is 'x', but should be a valid integer (write a decimal",
        ),
        (
            "id: a\nchecks: [{kind: exact, c: -1}]",
            "f:2:27: checks[0].c is -1, but should be greater than 0 (change the value)",
        ),
        (
            "id: a\nchecks: [{kind: ramp, low: 2, high: 1}]",
            "f:2:23: checks[0]: `low` is not below `high` (correct the fields named here)",
        ),
        ("id: a\nsome: []", "f:2:7: some is a list of 0, but should have at least 1 item (change"),
        ("id: a\nsome: [{second: 1}]", "f:2:9: the field some[0].second is not known (did you"),
        (
            "id: a\nshort: HW 1",
            "f:2:8: short is 'HW 1', but should be small letters, digits and hyphens, a letter f",
        ),
        (
            "id: a: b",
            "f:1:6: this is not valid YAML: mapping values are not allowed here (put a text that "
            "holds a colon in quotes, or correct the indentation)",
        ),
        (
            "id: a\nchecks:\n\t- kind: exact",
            "f:3:1: this is not valid YAML: found character '\\t' that cannot start any token "
            "(indent with spaces instead of tabs)",
        ),
        ("id: a\ndraws: " + "x" * 99, "f:2:8: draws is '" + "x" * 59 + "…, but should be a valid"),
    ],
)
def test_messages(text: str, wanted: str) -> None:
    (seen,) = complaints(text)
    assert seen.startswith(wanted)


@pytest.mark.parametrize("value", ["'5'", "true", "nan"])
def test_a_field_that_converts_elsewhere_does_not_convert_here(value: str) -> None:
    (seen,) = complaints(f"id: a\nchecks: [{{kind: exact, c: {value}}}]")
    assert "but should be a valid number" in seen


def test_a_problem_of_the_whole_file() -> None:
    (seen,) = complaints("kind: ramp\nlow: 2\nhigh: 1\n", Ramp)
    assert seen == "f:2:1: `low` is not below `high` (correct the fields named here)"


def test_an_unknown_field_with_a_value_that_is_refused() -> None:
    unknown, refused = complaints("id: a\nqqqq: .inf")
    assert unknown == "f:2:1: the field qqqq is not known (remove it)"
    assert refused.startswith("f:2:7: .inf is not a finite number")


def test_all_problems_come_at_once_and_in_order() -> None:
    text = """\
zz: 1
draws: many
id: &a A
checks:
  - {kind: exact, c: .nan}
  - {kind: rmp}
draws: 3
"""
    seen = complaints(text)
    assert [tuple(map(int, each.split(":")[1:3])) for each in seen] == [
        (1, 1),
        (2, 8),
        (3, 5),
        (3, 5),
        (5, 22),
        (6, 12),
        (7, 1),
    ]


def test_lists_become_tuples_and_names_become_enum_members() -> None:
    text = "id: a\ncolour: blue\nother-name: 4\nchecks: [{kind: exact, c: 2}]\n"
    task = load_text(text, "f", Task)
    assert (task.colour, task.aliased) == (Colour.BLUE, 4)
    assert task.checks == (Exact(kind="exact", c=2.0),)


def test_a_field_named_like_its_kind_is_found() -> None:
    text = "id: a\nchecks: [{kind: exact, exact: 1, exat: 2}]"
    (seen,) = complaints(text)
    assert seen.startswith("f:2:34: the field checks[0].exat is not known (did you mean exact?")


# Files


def test_load(tmp_path: Path) -> None:
    path = tmp_path / "task.yaml"
    path.write_bytes("\ufeffid: a\r\ndraws: 2\r\n".encode())
    assert load(path, Task) == Task(id="a", draws=2)


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"id: a\nx: \xff", ":2:4: byte 0xff is not UTF-8 (save the file as UTF-8)"),
        (b"\xef\xbb\xbfid: \xff", ":1:5: byte 0xff is not UTF-8 (save the file as UTF-8)"),
        (b"#" * MAX_BYTES + "é".encode(), ":1:1: the file is larger than 256 KiB (split it)"),
        (b"id: A", ":1:5: id is 'A', but should match pattern '^[a-z]+$' (change the value)"),
    ],
    ids=["latin", "latin after a mark", "large", "invalid"],
)
def test_files_that_are_refused(tmp_path: Path, content: bytes, wanted: str) -> None:
    path = tmp_path / "task.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        load(path, Task)
    assert str(caught.value) == f"{path}{wanted}"


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"gone.yaml:1:1: the file cannot be read: No such file"):
        load(tmp_path / "gone.yaml", Task)


# Positions


def test_positions() -> None:
    text = "id: a\nchecks:\n  - kind: exact\n    c: 2\n  - [1,\n     é]\n"
    assert positions(text) == {
        (): (1, 1),
        ("id",): (1, 5),
        ("checks",): (3, 3),
        ("checks", 0): (3, 5),
        ("checks", 0, "kind"): (3, 11),
        ("checks", 0, "c"): (4, 8),
        ("checks", 1): (5, 5),
        ("checks", 1, 0): (5, 6),
        ("checks", 1, 1): (6, 6),
    }


def test_positions_of_a_text_that_is_refused() -> None:
    with pytest.raises(SpecError, match="<text>:1:4: the alias"):
        positions("x: *a")


class Root(RootModel[Any]):
    pass


@given(
    st.text(alphabet=st.sampled_from("ab:-?[]{},&*!|>'\"%@`#\\ \n\t0.1~xuU<\ud800é\0"), max_size=40)
)
@example('"\\xd800"')
@example("!<tag:yaml.org,2002:python/name:os.system> a")
@example("? ")
@example("%YAML 99999.1\n--- a")
@example("&a [*a]")
@example("{? {}: 1}")
def test_any_text_is_loaded_or_refused(text: str) -> None:
    try:
        positions(text)
    except SpecError as error:
        assert all(problem.line >= 1 and problem.col >= 1 for problem in error.problems)
    try:
        value = load_text(text, "f", Root).root
    except SpecError as error:
        assert error.problems
    else:
        assert not (isinstance(value, float) and math.isnan(value))


@given(st.binary(max_size=60))
def test_any_bytes_are_loaded_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "task.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecError):
        load(path, Task)


# With and without libyaml


def read(text: str) -> tuple[list[str], object, object]:
    """The problems of a text, and where there are none its data and their places."""
    try:
        found = load_text(f"x:\n{text}", "f", Anything)
    except SpecError as error:
        return [str(problem) for problem in error.problems], None, None
    return [], found.x, dict(positions(f"x:\n{text}"))


def fragments(count: int) -> Iterator[str]:
    """Pieces of the project's own specs, with up to three characters replaced."""
    root = Path(__file__).parents[2]
    specs = [path.read_text(encoding="utf-8") for path in sorted(root.glob("tasks/*/*.yaml"))]
    rng = random.Random(0)
    marks = ["---\n", ": ", "? ", "\\x41", "|2\n"]
    marks += " \n:-#,[]{}\"'|>&*!%@`?\\0aé~.+e\t\r\x85\ufeff"
    for _ in range(count):
        text = rng.choice(specs)
        start = text.find("\n", rng.randrange(max(1, len(text) - 300))) + 1
        piece = list(text[start : start + rng.randrange(5, 300)])
        for _ in range(rng.randrange(4)):
            at = rng.randrange(len(piece) + 1)
            piece[at : at + rng.randrange(2)] = [rng.choice(marks)]
        yield textwrap.indent("".join(piece), " ")


def brackets(count: int) -> Iterator[str]:
    """Texts of brackets, question marks and empty values, of which PyYAML reads some otherwise."""
    rng = random.Random(1)
    marks = ["a", "b?", "a?", "?", *"[]{},", ": ", " ", "\n", "- ", '"x?"', "'y?'", "\n  ", "k: "]
    for _ in range(count):
        yield textwrap.indent("".join(rng.choices(marks, k=rng.randrange(2, 12))), " ")


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML was built without libyaml")
def test_a_file_is_read_the_same_where_there_is_no_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [*fragments(500), *brackets(2000)]
    quick = [read(text) for text in texts]
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert [read(text) for text in texts] == quick
    accepted = sum(not problems for problems, *_ in quick)
    assert 250 < accepted < 1000
