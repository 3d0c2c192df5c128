"""Which edges of a task's domain its measurements reach, found by watching the reference's calls.

An edge is the smallest or the largest size of an axis, or one end of a range of values (or a value
named by ``also``). A mistake that shows only at an edge is caught only if a measurement goes there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from harness.collect.arguments import Given
from harness.contract import ContractError, Signature, bind
from harness.spec import probabilities
from harness.spec.domain import Bits, Domain, LogSimplex, Simplex, Uniform, Values
from harness.spec.load import LoadedTask


class Seen:
    """Is told of calls: sizes and extremes of all arguments that were sent, by function.

    Attributes:
        called: the functions and constructors that were called, and the methods, by name.
    """

    def __init__(self, task: LoadedTask) -> None:
        self.called: set[str] = set()
        self._task = task
        self._domain = task.spec.domain or Domain()
        self._sizes: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._values: dict[tuple[str, str], set[float]] = defaultdict(set)
        #: How much larger an axis was than the least that the axis it is bound by asks for.
        self._slack: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._outside: set[str] = set()

    def __call__(
        self, owner: str, signature: Signature, dims: Mapping[str, int], args: Mapping[str, Any]
    ) -> None:
        """Notes one call."""
        self.called.add(owner)
        if self._task.spec.domain is None:
            return
        for axis, size in dims.items():
            if axis in self._domain.sizes:
                self._sizes[owner, axis].add(size)
                declared = self._domain.sizes[axis]
                if not declared.least <= size <= declared.most:
                    self._outside.add(f"{owner} is called with {axis} = {size}, outside of it")
                self._related(owner, axis, dims)
        for name, value in args.items():
            if isinstance(value, Given):
                self._function(value)
            else:
                self._note(owner, name, value)
                self._probabilities(owner, name, args)
                self._bits(owner, name, value)

    def complaints(self) -> Iterator[str]:
        """Every edge of the domain that no call reached, and what was called outside of it.

        What only trainings call is not known. Either a measurement is to go to an edge, or the
        statement is to promise less.
        """
        if not self.called or self._task.spec.domain is None:
            return
        path = self._task.path
        for text in self._missing():
            yield f"{path}: domain: {text} (let a measurement go there, or narrow the domain)"
        for text in sorted(self._outside):
            yield f"{path}: domain: {text} (widen it)"

    def _related(self, owner: str, axis: str, dims: Mapping[str, int]) -> None:
        """Notes the size of an axis beside that of the one that it is bound by."""
        bound = self._domain.sizes[axis].bound
        if bound is None or bound.axis not in dims:
            return
        slack = dims[axis] - dims[bound.axis] - bound.gap
        self._slack[owner, axis].add(slack)
        if slack < 0:
            sizes = f"{axis} = {dims[axis]} and {bound.axis} = {dims[bound.axis]}"
            self._outside.add(f"{owner} is called with {sizes}, outside of it")

    def _function(self, given: Given) -> None:
        """Notes the parameters of a function of given.py."""
        contract = self._task.given_contract
        signature = contract.functions.get(given.name) if contract else None
        if signature is None or not given.parameters:
            return
        params = signature.params[-len(given.parameters) :]
        part = Signature(given.name, params, signature.returns)
        described = [(np.asarray(v).dtype.name, np.asarray(v).shape) for v in given.parameters]
        try:
            dims = bind(part, described)
        except ContractError:
            dims = {}
        names = [param.name for param in params]
        self(given.name, part, dims, dict(zip(names, given.parameters, strict=True)))

    def _note(self, owner: str, name: str, value: Any) -> None:
        law = self._domain.law(owner, name)
        if isinstance(law, Uniform) and isinstance(value, int | float | np.ndarray | np.generic):
            array = np.asarray(value, dtype=np.float64)
            self._values[owner, name] |= {edge for edge in law.edges if (array == edge).any()}
            inside = ((array >= law.least) & (array <= law.most)) | np.isin(array, law.edges)
            if not inside.all():
                value = float(array[~inside].flat[0])
                self._outside.add(f"{owner} is called with {name} = {value:g}, outside of it")

    def _probabilities(self, owner: str, name: str, args: Mapping[str, Any]) -> None:
        """Notes an argument that holds probabilities, but for rows where it need not."""
        law, values = self._domain.law(owner, name), args[name]
        if not isinstance(law, Simplex | LogSimplex) or not isinstance(values, np.ndarray):
            return
        if isinstance(law, Simplex) and law.unless is not None:
            values = values[~np.asarray(args[law.unless], dtype=bool)]
        reached = self._values[owner, name]
        if probabilities.reaches_least(law, values):
            reached.add(float(law.least))
        if fault := probabilities.fault(law, values.reshape(-1, values.shape[-1])):
            self._outside.add(f"{owner} is called with {name} {fault}, outside of it")

    def _bits(self, owner: str, name: str, value: Any) -> None:
        """Notes an argument of which something has to be true."""
        law = self._domain.law(owner, name)
        if isinstance(law, Bits) and law.some and not np.asarray(value).any(axis=-1).all():
            text = f"{owner} is called with {name} in which nothing is true, outside of it"
            self._outside.add(text)

    def _missing(self) -> Iterator[str]:
        """Every edge that was not reached, in words."""
        for (owner, axis), sizes in sorted(self._sizes.items()):
            declared = self._domain.sizes[axis]
            for size in dict.fromkeys((declared.least, declared.most)):
                if size not in sizes:
                    tried = ", ".join(map(str, sorted(sizes)))
                    yield f"{owner} is never called with {axis} = {size} (but with {tried})"
        for (owner, axis), slacks in sorted(self._slack.items()):
            bound = self._domain.sizes[axis].bound
            if bound is not None and 0 not in slacks:
                least = f"{bound.axis} + {bound.gap}" if bound.gap else bound.axis
                yield f"{owner} is never called with {axis} = {least}"
        for (owner, name), reached in sorted(self._values.items()):
            law = self._domain.law(owner, name)
            for edge in _edges(law):
                if edge not in reached:
                    yield f"{owner} is never called with {name} = {edge:g}"


def _edges(law: Values | None) -> tuple[float, ...]:
    """The values of an argument that some call has to hold."""
    return law.edges if isinstance(law, Uniform | Simplex | LogSimplex) else ()
