"""The contract of a task: the signatures of its starter, read as syntax and never imported.

Three questions are answered here, all about types and none about values: what does the
starter promise (:func:`read_contract`), does the grader call it as promised (:func:`bind`),
and did the program return what it promised (:func:`check_result`).

Dimension names are jaxtyping's. One rule is stricter than jaxtyping: within one call, a
leading ``...`` stands for the same axes in every argument and in every result.
"""

from __future__ import annotations

from harness.contract.matching import ContractError, bind, check_result, describe
from harness.contract.reader import read_contract
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
    "read_contract",
]
