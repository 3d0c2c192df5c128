"""The contract of a task: the signatures of its starter, read as syntax and never imported.

Three questions are answered here, all about dtypes and shapes and none about values: which
signatures does the starter declare (:func:`read_contract`), does a measurement call them
correctly (:func:`bind`), and did the program return what they declare (:func:`check_result`).

Axes are written as in jaxtyping. One rule is stricter than jaxtyping's: within one call, a
leading ``...`` stands for axes of the same sizes in every argument and in every result.
"""

from __future__ import annotations

from harness.contract.matching import ContractError, bind, check_result, describe
from harness.contract.reader import parse_contract, read_contract
from harness.contract.reserved import HANDLE_NAMES, PROGRAM_NAMES
from harness.contract.types import (
    ArrayType,
    CallableType,
    ClassContract,
    Contract,
    Dim,
    EnvironmentType,
    GeneratorName,
    GeneratorType,
    HandleType,
    NoneType,
    Param,
    ScalarName,
    ScalarType,
    Signature,
    TupleType,
    Type,
)

__all__ = [
    "HANDLE_NAMES",
    "PROGRAM_NAMES",
    "ArrayType",
    "CallableType",
    "ClassContract",
    "Contract",
    "ContractError",
    "Dim",
    "EnvironmentType",
    "GeneratorName",
    "GeneratorType",
    "HandleType",
    "NoneType",
    "Param",
    "ScalarName",
    "ScalarType",
    "Signature",
    "TupleType",
    "Type",
    "bind",
    "check_result",
    "describe",
    "parse_contract",
    "read_contract",
]
