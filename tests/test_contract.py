"""The contract of a starter: reading it, calling by it, and judging what comes back."""

from __future__ import annotations

import pickle
import textwrap
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import (
    ArrayType,
    CallableType,
    Contract,
    ContractError,
    EnvironmentType,
    GeneratorType,
    HandleType,
    NoneType,
    Param,
    ScalarType,
    Signature,
    TupleType,
    Type,
    bind,
    check_result,
    describe,
    read_contract,
)
from harness.contract.constant import constant_program
from harness.errors import Problem, SpecError

HEADER = """\
from __future__ import annotations
from collections.abc import Callable
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Float64, Int64, UInt8
from torch import Tensor
"""
F64, F32 = ("float64",), ("float32",)


def read(tmp_path: Path, body: str, header: str = HEADER) -> Contract:
    path = tmp_path / "starter.py"
    path.write_text(header + textwrap.dedent(body), encoding="utf-8")
    return read_contract(path)


def problems(tmp_path: Path, body: str, header: str = HEADER) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        read(tmp_path, body, header)
    return caught.value.problems


def only_problem(tmp_path: Path, body: str) -> str:
    (found,) = problems(tmp_path, body)
    return found.message


def array(*dims: object, dtypes: tuple[str, ...] = F64) -> ArrayType:
    return ArrayType(dtypes, dims)  # type: ignore[arg-type]


def signature(*params: Param, returns: Type | None = None) -> Signature:
    return Signature("f", params, returns or NoneType())


def param(name: str, type_: Type, *, keyword: bool = False, default: bool = False) -> Param:
    return Param(name, type_, keyword, default)


# Reading


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ('Float64[Tensor, "b k"]', array("b", "k")),
        ('Float32[torch.Tensor, "b 3"]', array("b", 3, dtypes=F32)),
        ('Float[Tensor, "... d"]', array(..., "d", dtypes=("float32", "float64"))),
        ('Int64[Tensor, ""]', array(dtypes=("int64",))),
        ('UInt8[Tensor, "b 84 84"]', array("b", 84, 84, dtypes=("uint8",))),
        ('Bool[Tensor, "b"]', array("b", dtypes=("bool",))),
        ("int", ScalarType("int")),
        ("float", ScalarType("float")),
        ("bool", ScalarType("bool")),
        ("str", ScalarType("str")),
        ("torch.Generator", GeneratorType("torch.Generator")),
        ("np.random.Generator", GeneratorType("numpy.random.Generator")),
        ("Model", HandleType("Model")),
        ('"Model"', HandleType("Model")),
        (
            'Callable[[Float64[Tensor, "b d"], int], Float64[Tensor, "b"]]',
            CallableType((array("b", "d"), ScalarType("int")), array("b")),
        ),
        ('tuple[Float64[Tensor, "b"], int]', TupleType((array("b"), ScalarType("int")))),
    ],
)
def test_annotations(tmp_path: Path, annotation: str, expected: Type) -> None:
    contract = read(tmp_path, f"class Model:\n    pass\ndef f(x: {annotation}) -> None: ...\n")
    assert contract.functions["f"] == signature(param("x", expected))


@pytest.mark.parametrize(
    ("imports", "annotation"),
    [
        ("import jaxtyping\nimport torch", 'jaxtyping.Float64[torch.Tensor, "b"]'),
        ("import jaxtyping as jt\nimport torch as t", 'jt.Float64[t.Tensor, "b"]'),
        ("from jaxtyping import Float64 as F\nfrom torch import Tensor as T", 'F[T, "b"]'),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
            "    from jaxtyping import Float64\n    import torch.nn\n    from torch import Tensor",
            'Float64[Tensor, "b"]',
        ),
    ],
)
def test_names_are_followed_through_the_imports(
    tmp_path: Path, imports: str, annotation: str
) -> None:
    contract = read(tmp_path, f"def f() -> {annotation}: ...\n", header=imports + "\n")
    assert contract.functions["f"].returns == array("b")


@pytest.mark.parametrize(
    ("imports", "annotation"),
    [
        ("import gymnasium", "gymnasium.vector.VectorEnv"),
        ("import gymnasium as gym", "gym.vector.VectorEnv"),
        ("import gymnasium.vector", "gymnasium.vector.VectorEnv"),
        ("import gymnasium.vector as gv", "gv.VectorEnv"),
        ("from gymnasium import vector", "vector.VectorEnv"),
        ("from gymnasium.vector import VectorEnv", "VectorEnv"),
        ("from gymnasium.vector import VectorEnv as Env", "Env"),
        ("from gymnasium.vector.vector_env import VectorEnv", "VectorEnv"),
    ],
)
def test_an_environment_is_an_argument(tmp_path: Path, imports: str, annotation: str) -> None:
    contract = read(tmp_path, f"def f(env: {annotation}) -> None: ...\n", header=imports + "\n")
    assert contract.functions["f"] == signature(param("env", EnvironmentType()))


@pytest.mark.parametrize("returns", ["VectorEnv", "tuple[int, VectorEnv]"])
def test_an_environment_is_no_result(tmp_path: Path, returns: str) -> None:
    header = "from gymnasium.vector import VectorEnv\n"
    (found,) = problems(tmp_path, f"def f() -> {returns}: ...\n", header)
    assert found.message == "f returns something that stays in the program's process"


@pytest.mark.parametrize(
    ("imports", "annotation"),
    [
        ("from stable_baselines3 import VectorEnv", "VectorEnv"),
        ("from gymnasium import Env", "Env"),
        ("from typing import Any", "VectorEnv"),
    ],
)
def test_other_environments_are_not_understood(
    tmp_path: Path, imports: str, annotation: str
) -> None:
    body = f"def f(env: {annotation}) -> None: ...\n"
    (found,) = problems(tmp_path, body, header=imports + "\n")
    assert found.message == f"the annotation {annotation} is not understood"
    assert "gymnasium.vector.VectorEnv" in found.remedy


def test_a_name_that_is_not_imported_is_not_believed(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, 'def f(x: Float64[Tensor, "b"]) -> None: ...\n', header="")
    assert "Float64[Tensor, 'b'] is not understood" in found.message
    assert "imported" in found.remedy


def test_parameters_defaults_and_keywords(tmp_path: Path) -> None:
    body = "def f(a: int, /, b: int, c: int = 1, *, d: int, e: int = 2) -> None: ...\n"
    number = ScalarType("int")
    assert read(tmp_path, body).functions["f"].params == (
        param("a", number),
        param("b", number),
        param("c", number, default=True),
        param("d", number, keyword=True),
        param("e", number, keyword=True, default=True),
    )


def test_classes_private_names_and_order(tmp_path: Path) -> None:
    contract = read(
        tmp_path,
        """
        LIMIT = 3
        def _helper(x): ...
        class _Hidden:
            def f(self, x): ...
        @torch.no_grad()
        def second(m: Model) -> Model: ...
        class Model(torch.nn.Module):
            size: int = 3
            def __init__(self, d: int, *, width: int = 8): ...
            def forward(self, x: Float64[Tensor, "b d"]) -> Float64[Tensor, "b"]: ...
            def _inner(self, x): ...
        class Empty: ...
        def first() -> None: ...
        """,
    )
    assert list(contract.functions) == ["second", "first"]
    assert list(contract.classes) == ["Model", "Empty"]
    model = contract.classes["Model"]
    number = ScalarType("int")
    width = param("width", number, keyword=True, default=True)
    assert model.init == Signature("__init__", (param("d", number), width), NoneType())
    forward = Signature("forward", (param("x", array("b", "d")),), array("b"))
    assert model.methods == {"forward": forward}
    assert contract.classes["Empty"].init == Signature("__init__", (), NoneType())


def test_every_problem_of_a_file_is_found_with_its_place(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """\
        def a(x) -> None: ...
        def b(x: list[int]): ...
        def ü(ä: 'é', *rest: int) -> None: ...
        """,
        header="",
    )
    assert [(problem.line, problem.col) for problem in found] == [
        (1, 7),
        (2, 1),
        (2, 10),
        (3, 10),
        (3, 16),
    ]
    assert [problem.file for problem in found] == [str(tmp_path / "starter.py")] * 5
    assert all(problem.remedy for problem in found)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("def f(x) -> None: ...", "parameter x of f has no type"),
        ("def f(): ...", "the result of f has no type"),
        ("def f(*xs: int) -> None: ...", "f takes *xs, whose types are unknown"),
        ("def f(**xs: int) -> None: ...", "f takes *xs, whose types are unknown"),
        ("async def f() -> None: ...", "f is asynchronous"),
        ("def f() -> None: ...\ndef f() -> None: ...", "f is defined twice"),
        ("def f() -> str: ...", "f returns a string"),
        ("def f() -> tuple[int, str]: ...", "f returns a string"),
        (
            "def f() -> torch.Generator: ...",
            "f returns something that stays in the program's process",
        ),
        ("def f(x: Tensor) -> None: ...", "the annotation Tensor is not understood"),
        ("def f(x: int | None) -> None: ...", "the annotation int | None is not understood"),
        ("def f(x: Callable) -> None: ...", "the annotation Callable is not understood"),
        ("def f(x: tuple[()]) -> None: ...", "the annotation tuple[()] is not understood"),
        ("def f(x: 3) -> None: ...", "the annotation 3 is not understood"),
        (
            "def f(x: Callable[..., int]) -> None: ...",
            "the annotation Callable[..., int] is not understood",
        ),
        (
            'def f(x: Float64[np.ndarray, "b"]) -> None: ...',
            "the annotation Float64[np.ndarray, 'b'] is not understood",
        ),
        ("def f(x: Float64[Tensor]) -> None: ...", "the annotation Float64[Tensor] is not under"),
        ('def f(x: Float64[Tensor, "h*w"]) -> None: ...', "axis 'h*w' of 'h*w' is not understood"),
        ('def f(x: Float64[Tensor, "b ..."]) -> None: ...', "axis '...' of 'b ...' is not"),
        ('def f(x: Float64[Tensor, "_ d"]) -> None: ...', "axis '_' of '_ d' is not understood"),
        ('def f(x: Float64[Tensor, "-1"]) -> None: ...', "axis '-1' of '-1' is not understood"),
        ("class A:\n    def f() -> None: ...", "A.f has no self"),
        ("class A:\n    def f(self, x) -> None: ...", "parameter x of A.f has no type"),
        ("class A:\n    def __init__(self) -> Tensor: ...", "the annotation Tensor is not"),
        ("class A:\n    @staticmethod\n    def f(x: int) -> None: ...", "A.f is not a plain"),
        ("class A:\n    @property\n    def f(self) -> int: ...", "A.f is not a plain method"),
        (
            "class A:\n    def f(self) -> None: ...\n    def f(self) -> None: ...",
            "A.f is defined twice",
        ),
        (
            "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass A:\n    x: int",
            "the parameters of A are hidden in a dataclass",
        ),
    ],
)
def test_refusals(tmp_path: Path, body: str, message: str) -> None:
    assert only_problem(tmp_path, body).startswith(message)


def test_a_syntax_error_has_its_place(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "def f(:\n    pass\n", header="")
    assert (found.line, found.col) == (1, 7)
    assert "not valid Python" in found.message


@pytest.mark.parametrize(
    "content", [b"x = '\xff'", b"x = 1\0", b"x = " + b"-" * 100_000 + b"1"], ids=repr
)
def test_an_unreadable_starter(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "starter.py"
    path.write_bytes(content)
    with pytest.raises(SpecError):
        read_contract(path)


def test_a_missing_starter(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"starter.py:1:1: the starter cannot be read"):
        read_contract(tmp_path / "starter.py")


def test_reading_runs_nothing_and_warns_of_nothing(tmp_path: Path) -> None:
    body = "raise RuntimeError\npattern = '\\d'\ndef f() -> None: ...\n"
    assert list(read(tmp_path, body).functions) == ["f"]


@given(st.text())
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "starter.py"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        read_contract(path)
    except SpecError as error:
        assert error.problems


def test_a_contract_travels_between_processes(tmp_path: Path) -> None:
    contract = read(tmp_path, 'def f(x: Float64[Tensor, "... d"]) -> None: ...\n')
    assert pickle.loads(pickle.dumps(contract)) == contract


# Calling


def test_bind_learns_every_axis() -> None:
    wanted = signature(
        param("n", ScalarType("int")),
        param("x", array("b", "d")),
        param("mask", array("b", dtypes=("bool",)), default=True),
    )
    assert bind(wanted, [4, ("float64", (5, 3))]) == {"n": 4, "b": 5, "d": 3}


def test_bind_learns_the_leading_axes() -> None:
    wanted = signature(param("x", array(..., "d")))
    dims = bind(wanted, [("float64", (2, 7, 3))])
    assert dims == {"...": 2, "...0": 2, "...1": 7, "d": 3}
    assert bind(wanted, [("float64", (3,))]) == {"...": 0, "d": 3}


def test_bind_accepts_what_it_cannot_look_into() -> None:
    wanted = signature(
        param("rng", GeneratorType("torch.Generator")),
        param("f", CallableType((), NoneType())),
        param("m", HandleType("Model")),
        param("env", EnvironmentType()),
        param("lr", ScalarType("float")),
        param("on", ScalarType("bool")),
        param("mode", ScalarType("str")),
    )
    assert bind(wanted, [7, "quadratic", object(), object(), 1, True, "sum"]) == {}


def test_bind_accepts_names() -> None:
    wanted = signature(param("a", ScalarType("int")), param("b", ScalarType("int"), keyword=True))
    assert bind(wanted, [1], {"b": 2}) == bind(wanted, [], {"b": 2, "a": 1}) == {"a": 1, "b": 2}


VECTOR = param("x", array("b"))
NUMBER = param("n", ScalarType("int"))
MATRIX = param("y", array("b", "k"))


@pytest.mark.parametrize(
    ("params", "args", "message"),
    [
        ([NUMBER], [1, 2], "f takes 1 arguments, 2 were sent"),
        ([NUMBER], [], "argument n is missing"),
        ([param("n", NUMBER.type, keyword=True)], [1], "f takes 0 arguments, 1 were sent"),
        ([NUMBER], [True], "argument n must be int, bool True was sent"),
        ([NUMBER], [1.5], "argument n must be int, float 1.5 was sent"),
        ([NUMBER], [None], "argument n must be int, NoneType None was sent"),
        ([NUMBER], ["x" * 99], "argument n must be int, a value of type str was sent"),
        ([param("x", ScalarType("float"))], [True], "must be float, bool True was sent"),
        ([param("x", ScalarType("bool"))], [1], "must be bool, int 1 was sent"),
        ([param("x", ScalarType("str"))], [1], "must be str, int 1 was sent"),
        ([NUMBER], [("float64", ())], r"must be int, float64 of shape \[\] was sent"),
        ([VECTOR], [1], r"argument x must be float64 tensor \[b\], int 1 was sent"),
        (
            [param("m", HandleType("Model"))],
            [("float64", (2,))],
            r"must be instance of Model, float64 of shape \[2\] was sent",
        ),
        (
            [param("env", EnvironmentType())],
            [("float64", (2,))],
            r"must be vector environment, float64 of shape \[2\] was sent",
        ),
        (
            [VECTOR],
            [("float32", (2,))],
            r"must be float64 of shape \[b\], float32 of shape \[2\] was sent",
        ),
        ([VECTOR], [("float64", (2, 2))], r"of shape \[b\], float64 of shape \[2, 2\] was sent"),
        (
            [VECTOR, MATRIX],
            [("float64", (2,)), ("float64", (3, 4))],
            r"argument y must be float64 of shape \[b=2, k\], float64 of shape \[3, 4\]",
        ),
        ([VECTOR, param("b", NUMBER.type)], [("float64", (2,)), 3], "b is 3, but the axis b is 2"),
        ([param("x", array(3))], [("float64", (2,))], r"of shape \[3\], float64 of shape \[2\]"),
        (
            [param("x", array(..., "d")), param("y", array(...))],
            [("float64", (4, 2)), ("float64", (5,))],
            r"argument y must be float64 of shape \[4\], float64 of shape \[5\]",
        ),
    ],
)
def test_bind_refuses(params: list[Param], args: list[object], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        bind(signature(*params), args)


@pytest.mark.parametrize(
    ("named", "message"), [({"n": 2}, "n is sent twice"), ({"m": 2}, "m is not a parameter")]
)
def test_bind_refuses_names(named: dict[str, object], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        bind(signature(NUMBER), [1], named)


# Judging what came back

DIMS = {"b": 200, "d": 3, "k": 2, "one": 1}


@pytest.mark.parametrize(
    ("returns", "results"),
    [
        (array("b"), [("float64", (200,))]),
        (array(), [("float64", ())]),
        (array("b", dtypes=("float32", "float64")), [("float32", (200,))]),
        (ScalarType("int"), [("int64", ())]),
        (ScalarType("float"), [("float64", ())]),
        (ScalarType("bool"), [("bool", ())]),
        (NoneType(), []),
        (HandleType("Model"), []),
        (TupleType((array("b"), ScalarType("int"))), [("float64", (200,)), ("int64", ())]),
        (TupleType((array("free"), array("free"))), [("float64", (7,))] * 2),
        (array("free", 4), [("float64", (9, 4))]),
        (array(..., "d"), [("float64", (9, 8, 3))]),
    ],
)
def test_what_fits(returns: Type, results: list[tuple[str, tuple[int, ...]]]) -> None:
    assert check_result(returns, DIMS, results) is None


@pytest.mark.parametrize(
    ("returns", "results", "sentence"),
    [
        (
            array("b"),
            [("float32", (200, 1))],
            "the result: expected float64 of shape [b=200], got float32 of shape [200, 1];"
            " squeeze axis 1, which has size 1;"
            " compute in float64: give new tensors the dtype of the arguments",
        ),
        (
            array("b", "d"),
            [("float64", (3, 200))],
            "the result: expected float64 of shape [b=200, d=3], got float64 of shape [3, 200];"
            " the axes are in another order: transpose",
        ),
        (
            array("b", "d", "k"),
            [("float64", (200, 2, 3))],
            "the result: expected float64 of shape [b=200, d=3, k=2], got float64 of shape"
            " [200, 2, 3]; the axes are in another order: transpose",
        ),
        (
            array("b", "d"),
            [("float64", (200,))],
            "the result: expected float64 of shape [b=200, d=3], got float64 of shape [200];"
            " the axis d=3 is missing: do not reduce over it",
        ),
        (
            array("b", "one"),
            [("float64", (200,))],
            "the result: expected float64 of shape [b=200, one=1], got float64 of shape [200];"
            " the axis one=1 is missing: add it with unsqueeze",
        ),
        (
            array("b"),
            [("float64", (200, 200))],
            "the result: expected float64 of shape [b=200], got float64 of shape [200, 200];"
            " there is one axis too many: were [b] and [b, 1] combined into [b, b]?",
        ),
        (
            array("b"),
            [("float64", (200, 3))],
            "the result: expected float64 of shape [b=200], got float64 of shape [200, 3];"
            " there is one axis too many: reduce over axis 1",
        ),
        (
            array("b"),
            [("float64", (7,))],
            "the result: expected float64 of shape [b=200], got float64 of shape [7]",
        ),
        (
            array("b"),
            [("int64", (200,))],
            "the result: expected float64 of shape [b=200], got int64 of shape [200];"
            " integers were returned: convert to floating point before computing",
        ),
        (
            array("b", dtypes=F32),
            [("float64", (200,))],
            "the result: expected float32 of shape [b=200], got float64 of shape [200];"
            " convert with .to(torch.float32)",
        ),
        (
            ScalarType("float"),
            [("float64", (1,))],
            "the result: expected float64 of shape [], got float64 of shape [1];"
            " squeeze axis 0, which has size 1",
        ),
        (
            TupleType((array("b"), array("free"), array("free"))),
            [("float64", (200,)), ("float64", (5,)), ("float64", (6,))],
            "result 3 of 3: expected float64 of shape [free=5], got float64 of shape [6]",
        ),
        (array("b"), [], "expected 1 result (float64 tensor [b]), got 0"),
        (NoneType(), [("float64", ())], "expected 0 results (nothing), got 1"),
        (
            TupleType((array("b"), ScalarType("int"))),
            [("float64", (200,))],
            "expected 2 results (float64 tensor [b], int64 tensor []), got 1",
        ),
        (
            array(..., "d", dtypes=("float32", "float64")),
            [("float64", (9,))],
            "the result: expected float32 or float64 of shape [..., d=3], got float64 of"
            " shape [9]; the axis d=3 is missing: do not reduce over it",
        ),
    ],
)
def test_what_does_not_fit(
    returns: Type, results: list[tuple[str, tuple[int, ...]]], sentence: str
) -> None:
    assert check_result(returns, DIMS, results) == sentence


def test_the_leading_axes_of_a_result_are_those_of_the_arguments() -> None:
    dims = bind(signature(param("x", array(..., "d"))), [("float64", (4, 5, 3))])
    assert check_result(array(...), dims, [("float64", (4, 5))]) is None
    sentence = check_result(array(...), dims, [("float64", (20,))])
    assert sentence == "the result: expected float64 of shape [4, 5], got float64 of shape [20]"


def test_checking_leaves_the_sizes_alone() -> None:
    dims = {"b": 2}
    check_result(array("b", "free"), dims, [("float64", (2, 3))])
    assert dims == {"b": 2}


@given(st.lists(st.integers(0, 4), max_size=4), st.lists(st.integers(0, 4), max_size=4))
def test_only_the_same_shape_fits(wanted: list[int], seen: list[int]) -> None:
    verdict = check_result(array(*wanted), {}, [("float64", tuple(seen))])
    assert (verdict is None) == (wanted == seen)


@pytest.mark.parametrize(
    ("type_", "words"),
    [
        (array("b", 3), "float64 tensor [b, 3]"),
        (array(..., "d", dtypes=("float32", "float64")), "float32 or float64 tensor [..., d]"),
        (array(), "float64 tensor []"),
        (ScalarType("int"), "int"),
        (GeneratorType("torch.Generator"), "torch.Generator"),
        (
            CallableType((array("b"),), array()),
            "function (float64 tensor [b]) -> float64 tensor []",
        ),
        (TupleType((array("b"), ScalarType("int"))), "tuple (float64 tensor [b], int)"),
        (HandleType("Model"), "instance of Model"),
        (EnvironmentType(), "vector environment"),
        (NoneType(), "nothing"),
    ],
)
def test_describe(type_: Type, words: str) -> None:
    assert describe(type_) == words


CONSTANT = """
def rows(x: Float64[Tensor, "b k"], n: int) -> tuple[Float64[Tensor, "n b"], Int64[Tensor, " k"]]:
    raise NotImplementedError

def batched(x: Float32[Tensor, "... d"], scale: float = 1.0) -> Float32[Tensor, "... d 3"]:
    raise NotImplementedError

def number(x: Float64[Tensor, " b"]) -> int:
    raise NotImplementedError

def open_axis(x: Float64[Tensor, " b"]) -> Float64[Tensor, "b q"]:
    raise NotImplementedError

class Model:
    def __init__(self, weights: Float64[Tensor, "d a"]) -> None:
        raise NotImplementedError

    def fit(self, x: Float64[Tensor, "b d"]) -> None:
        raise NotImplementedError

    def values(self, x: Float64[Tensor, "b d"]) -> Float64[Tensor, " b"]:
        raise NotImplementedError
"""


def test_a_constant_program_keeps_the_contract(tmp_path):
    contract = read(tmp_path, CONSTANT)
    program: dict = {}
    exec(compile(constant_program(contract, 1.0), "constant.py", "exec"), program)
    x = torch.ones(4, 2, dtype=torch.float64, requires_grad=True)
    first, second = program["rows"](x, 3)
    assert (first.shape, first.dtype) == ((3, 4), torch.float64)
    assert (second.shape, second.dtype) == ((2,), torch.int64)
    assert (first == 1).all()
    (gradient,) = torch.autograd.grad(first.sum(), x)
    assert (gradient == 0).all()
    for lead in ((), (5,), (5, 6)):
        found = program["batched"](torch.zeros(*lead, 2))
        assert (found.shape, found.dtype) == ((*lead, 2, 3), torch.float32)
    assert program["number"](x[:, 0]) == 1
    assert program["open_axis"](x[:, 0]).shape == (4, 2)
    model = program["Model"](x)
    assert model.fit(x) is None
    assert model.values(x).shape == (4,)
