"""The program as a measurement sees it: named functions that take and return numpy arrays.

Every call is checked against the contract on both ways: what the grader sends (a mistake of the
task's author) and what comes back (the program's, with a message that says which result, what was
expected and what came). The measurement never sees a tensor, an exception object or a number that
the program computed about itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import numpy as np

from harness import wire
from harness.collect.arguments import File, Given, Seed, Served, VectorEnv
from harness.contract import (
    ArrayType,
    Contract,
    ContractError,
    GeneratorType,
    HandleType,
    NoneType,
    ScalarType,
    Signature,
    TupleType,
    Type,
    bind,
    check_result,
)
from harness.errors import ProgramError
from harness.records import encode_array
from harness.sandbox.connection import Answer

Array = wire.Array
_TRANSCRIPT_CALLS = 64
_TRANSCRIPT_ELEMENTS = 4096


class Channel(Protocol):
    """Where a proxy's requests go."""

    def request(
        self, message: Mapping[str, Any], arrays: Sequence[Array], answer: Answer | None = None
    ) -> wire.Frame: ...

    def renew(self, *, sandbox: bool = False) -> None: ...


@dataclass(frozen=True)
class Handle:
    """An object of the program's, kept in the worker; its methods are called like functions."""

    proxy: ProgramProxy
    cls: str
    id: int

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        signature = self.proxy.method(self.cls, name)
        target = {"handle": self.id, "name": name}
        return lambda *args, **named: self.proxy.invoke(target, signature, args, named)

    def state(self) -> dict[str, Array]:
        """The named parameters and buffers of a torch.nn.Module."""
        return self.proxy.state(self.id)

    def load(self, arrays: Mapping[str, Array]) -> None:
        """Loads named parameters and buffers into a torch.nn.Module."""
        self.proxy.load_state(self.id, arrays)


class ProgramProxy:
    """One program during one trial.

    ``student.f(*arrays)`` calls a function of the contract. The other verbs are methods of this
    class; a contract must not use their names.
    """

    def __init__(
        self,
        channel: Channel,
        contract: Contract,
        rng: np.random.Generator,
        *,
        record: bool = False,
    ) -> None:
        self._channel = channel
        self._contract = contract
        self._rng = rng
        self._served: list[Served] = []
        self._record = record
        self.transcript: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        signature = self._signature(name)
        return lambda *args, **named: self.invoke({"name": name}, signature, args, named)

    def renew(self, *, sandbox: bool = False) -> None:
        """Goes on with a new process that has loaded the file anew; nothing of the old one is left.

        Handles that were made before are dead. With ``sandbox`` nothing that the two processes
        could share survives either: for what must not pass from one to the other, such as the
        images from an encoder to a decoder. That takes seconds, a new process milliseconds.
        """
        self._channel.renew(sandbox=sandbox)

    def generator(self) -> Seed:
        """A fresh seed, for an argument that the contract types as a generator."""
        return Seed(self._draw())

    def given(self, name: str, *parameters: Array) -> Given:
        """A function of given.py, for an argument that the contract types as a callable."""
        return Given(name, parameters)

    def file(self, name: str) -> File:
        """The path of a submitted file, for an argument that the contract types as ``str``."""
        return File(name)

    def serve(
        self, env: VectorEnv, observation_shape: tuple[int, ...], num_actions: int, max_steps: int
    ) -> Served:
        """Serves an environment of the grader's, for one call's argument."""
        served = Served(env, observation_shape, num_actions, self._draw(), max_steps)
        self._served.append(served)
        return served

    def refuse(self, message: str) -> NoReturn:
        """Ends the trial: an answer of the right shape that no rule of the task allows.

        Raises:
            ProgramError: always, with cause ``bad-output``.
        """
        raise ProgramError("bad-output", message)

    def independent(self, name: str, *args: Any, replicates: int) -> list[Any]:
        """The results of ``replicates`` calls that differ in their seed alone.

        ``args`` leave out the generator, which the contract must have as its last parameter.

        Raises:
            ProgramError: two replicates are identical: the program reseeds a generator.
        """
        call = getattr(self, name)
        takes_generator = isinstance(self._signature(name).params[-1].type, GeneratorType)
        results, seen = [], set()
        for _ in range(replicates):
            result = call(*args, self.generator()) if takes_generator else call(*args)
            seen.add(tuple(np.asarray(part).tobytes() for part in _parts([result])))
            results.append(result)
        finite = all(np.isfinite(np.asarray(part)).all() for part in _parts(results))
        if finite and len(seen) < replicates:
            raise ProgramError(
                "reseeded",
                f"{name} returned the same draws for different generators: your code reseeds a "
                "generator (such as torch.manual_seed inside a function) or ignores the one given",
            )
        return results

    def new(self, cls: str, *args: Any, **config: Any) -> Handle:
        """An instance of a class of the contract."""
        if cls not in self._contract.classes:
            raise ContractError(f"the starter defines no class {cls}")
        dims, message, arrays = self._pack(self._contract.classes[cls].init, args, config)
        del dims
        request = {"op": "new", "target": {"name": cls}, **message}
        frame = self._request(request, arrays)
        identity = frame.message.get("handle")
        if type(identity) is not int or identity < 0:
            raise ProgramError("protocol", "the worker made no object")
        return Handle(self, cls, identity)

    def vjp(
        self, name: str, args: Sequence[Any], wrt: Sequence[int], cotangent: Array
    ) -> tuple[Array, ...]:
        """Vector-Jacobian products, by autograd in the worker: cotangentᵀ ∂f/∂args[i], i in wrt.

        An argument that the result does not depend on through the graph has gradient zero, so
        such gradients count only against a non-zero reference.
        """
        signature = self._signature(name)
        dims, message, arrays = self._pack(signature, args, {})
        problem = check_result(signature.returns, dims, [_described(cotangent)])
        if problem is not None:
            raise ContractError(f"vjp of {name}: the cotangent does not fit: {problem}")
        request = {
            "op": "vjp",
            "target": {"name": name},
            "wrt": list(wrt),
            "cotangent": len(arrays),
            **message,
        }
        frame = self._request(request, [*arrays, np.asarray(cotangent)])
        wanted = [_described(np.asarray(args[index])) for index in wrt]
        if [_described(array) for array in frame.arrays] != wanted:
            raise ProgramError("protocol", "gradients of another dtype or shape came back")
        graph = frame.message.get("graph")
        if not isinstance(graph, list) or len(graph) != len(wrt):
            raise ProgramError("protocol", "the worker did not say what is in the graph")
        cut = [signature.params[i].name for i, whole in zip(wrt, graph, strict=True) if not whole]
        names = [*(param.name for param in signature.params[: len(args)]), "cotangent"]
        self._note(f"gradient of {name}", [*args, cotangent], frame.arrays, names=names, cut=cut)
        return frame.arrays

    def method(self, cls: str, name: str) -> Signature:
        """The signature of a method; raises ContractError."""
        try:
            return self._contract.classes[cls].methods[name]
        except KeyError:
            raise ContractError(f"the starter defines no method {cls}.{name}") from None

    def invoke(
        self,
        target: Mapping[str, Any],
        signature: Signature,
        args: Sequence[Any],
        named: Mapping[str, Any],
    ) -> Any:
        """One call; a tuple where the contract has one, else the one result."""
        if isinstance(signature.returns, NoneType | HandleType):
            raise ContractError(f"{signature.name}: what it returns cannot be measured")
        dims, message, arrays = self._pack(signature, args, named)
        frame = self._request({"op": "call", "target": target, **message}, arrays)
        results = self._results(signature, dims, frame)
        self._note(signature.name, args, results, names=[p.name for p in signature.params])
        if isinstance(signature.returns, TupleType):
            return results
        return results[0] if results else None

    def state(self, handle: int) -> dict[str, Array]:
        """See :meth:`Handle.state`."""
        frame = self._request({"op": "state", "handle": handle}, [])
        match frame.message.get("names"):
            case [*names] if all(isinstance(name, str) for name in names):
                if len(set(names)) == len(names) == len(frame.arrays):
                    return dict(zip(names, frame.arrays, strict=True))
        raise ProgramError("protocol", "a state is named arrays")

    def load_state(self, handle: int, arrays: Mapping[str, Array]) -> None:
        """See :meth:`Handle.load`."""
        request = {"op": "load-state", "handle": handle, "names": list(arrays)}
        self._request(request, list(arrays.values()))

    def _signature(self, name: str) -> Signature:
        try:
            return self._contract.functions[name]
        except KeyError:
            raise ContractError(f"the starter defines no function {name}") from None

    def _draw(self) -> int:
        return int(self._rng.integers(2**62))

    def _pack(
        self, signature: Signature, args: Sequence[Any], named: Mapping[str, Any]
    ) -> tuple[dict[str, int], dict[str, Any], list[Array]]:
        dims = bind(
            signature,
            [_described(value) for value in args],
            {name: _described(value) for name, value in named.items()},
        )
        arrays: list[Array] = []
        types = {param.name: param.type for param in signature.params}
        message = {
            "args": [
                self._spec(value, type_, arrays)
                for value, type_ in zip(args, types.values(), strict=False)
            ],
            "named": {
                name: self._spec(value, types[name], arrays) for name, value in named.items()
            },
        }
        return dims, message, arrays

    def _spec(  # noqa: PLR0911 - one answer a kind of argument
        self, value: Any, type_: Type, arrays: list[Array]
    ) -> dict[str, Any]:
        match value:
            case Seed() if isinstance(type_, GeneratorType):
                return {"t": type_.name, "seed": value.value}
            case Given():
                first = len(arrays)
                arrays.extend(np.asarray(item) for item in value.parameters)
                return {"t": "given", "name": value.name, "params": list(range(first, len(arrays)))}
            case File():
                return {"t": "file", "name": value.name}
            case Handle():
                return {"t": "handle", "id": value.id}
            case Served():
                return {
                    "t": "environment",
                    "id": self._served.index(value),
                    "num_envs": value.env.num_envs,
                    "observation_shape": list(value.observation_shape),
                    "num_actions": value.num_actions,
                }
            case int() | float() if type_ == ScalarType("float"):
                # in hexadecimal, since JSON has neither NaN nor infinity
                return {"t": "float", "v": float(value).hex()}
            case bool() | int() | str():
                return {"t": "value", "v": value}
        arrays.append(np.asarray(value))
        return {"t": "tensor", "i": len(arrays) - 1}

    def _request(self, message: dict[str, Any], arrays: Sequence[Array]) -> wire.Frame:
        answer: Answer | None = self._answer if self._served else None
        return self._channel.request({**message, "seed": self._draw()}, arrays, answer)

    def _answer(self, message: Mapping[str, Any], arrays: tuple[Array, ...]) -> wire.Frame:
        identity, verb = message.get("id"), message.get("verb")
        if type(identity) is not int or not 0 <= identity < len(self._served):
            raise ProgramError("protocol", "the worker asked for an environment it was not given")
        if not isinstance(verb, str):
            raise ProgramError("protocol", "an environment is asked to reset or to step")
        return self._served[identity].answer(verb, arrays)

    def _results(
        self, signature: Signature, dims: Mapping[str, int], frame: wire.Frame
    ) -> tuple[Any, ...]:
        returns = signature.returns
        described = [_described(array) for array in frame.arrays]
        problem = check_result(returns, dims, described) or self._kinds(returns, frame)
        if problem is not None:
            raise ProgramError("bad-output", f"{signature.name}: {problem}")
        leaves = returns.items if isinstance(returns, TupleType) else (returns,)
        return tuple(
            array if isinstance(leaf, ArrayType) else array[()].item()
            for leaf, array in zip(leaves, frame.arrays, strict=True)
        )

    def _kinds(self, returns: Any, frame: wire.Frame) -> str | None:
        leaves = returns.items if isinstance(returns, TupleType) else (returns,)
        kinds = frame.message.get("kinds")
        if not isinstance(kinds, list) or len(kinds) != len(leaves):
            raise ProgramError("protocol", "the worker did not say what came back")
        if not all(isinstance(kind, str) for kind in kinds):
            raise ProgramError("protocol", "the worker did not say what came back")
        for leaf, kind in zip(leaves, kinds, strict=True):
            wanted = leaf.name if isinstance(leaf, ScalarType) else "tensor"
            if kind != wanted:
                return f"expected a {wanted}, got a {kind[:20]}"
        return None

    def _note(
        self,
        call: str,
        args: Sequence[Any],
        results: Sequence[Any],
        names: Sequence[str] = (),
        cut: Sequence[str] = (),
    ) -> None:
        if not self._record or len(self.transcript) >= _TRANSCRIPT_CALLS:
            return
        labels = list(names) or [f"argument {i + 1}" for i in range(len(args))]
        self.transcript.append(
            {
                "call": call,
                "args": [
                    [label, _shown(value)] for label, value in zip(labels, args, strict=False)
                ],
                "results": [_shown(value) for value in results],
                "cut": list(cut),
            }
        )


def _parts(results: Sequence[Any]) -> Iterator[Any]:
    """Every array or number of some results, tuples opened."""
    for result in results:
        yield from result if isinstance(result, tuple) else (result,)


def _described(value: Any) -> Any:
    """What a contract is checked with: dtype and shape of an array, other things as they are."""
    if isinstance(value, np.ndarray | np.generic):
        return (value.dtype.name, tuple(value.shape))
    if isinstance(value, File):
        return value.name
    return value


def _shown(value: Any) -> Any:
    """A value of a transcript: small arrays whole, larger ones their beginning."""
    if isinstance(value, np.ndarray):
        if value.size <= _TRANSCRIPT_ELEMENTS:
            return encode_array(value)
        return f"{value.dtype.name} array of shape {list(value.shape)}"
    if isinstance(value, bool | int | float | str):
        return str(value) if isinstance(value, float) and not np.isfinite(value) else value
    return f"<{type(value).__name__.lower()}>"
