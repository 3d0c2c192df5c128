"""Calls of a program under its contract: what is sent and what comes back, checked both ways.

A call that the contract does not allow is a mistake of the task's author (ContractError). A result
that it does not allow is the program's (ProgramError), with a message that says which result, what
was expected and what came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from harness import wire
from harness.causes import Cause
from harness.collect import weights
from harness.collect.arguments import File, Given, Seed, Served
from harness.collect.transcript import Transcript
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
from harness.environments.records import VectorEnv
from harness.errors import ProgramError
from harness.sandbox.connection import Answer

Array = wire.Array

#: Is told what is about to be called: the name in the domain, the signature, the sizes of the axes,
#: and the arguments by name.
Observe = Callable[[str, Signature, Mapping[str, int], Mapping[str, Any]], None]

#: What a training returns that the budget may end: how many calls of ``env.step`` were made.
_COUNT = ScalarType("int")
_LARGEST = 2**64 - 1  # the integer that takes most room in a header


class Channel(Protocol):
    """Where the requests of a program's calls go; a WorkerSession or its stand-in."""

    def request(
        self, message: Mapping[str, Any], arrays: Sequence[Array], answer: Answer | None = None
    ) -> wire.Frame:
        """See :meth:`harness.sandbox.session.WorkerSession.request`."""
        ...

    def renew(self, *, sandbox: bool = False) -> None:
        """See :meth:`harness.sandbox.session.WorkerSession.renew`."""
        ...


class Handle:
    """An object of the program's, kept in the worker; its methods are called like functions.

    The public names of this class are taken: see :data:`harness.contract.HANDLE_NAMES`.
    ``sizes`` are those of the axes that the arguments of the constructor determine: results of
    methods have them, too.
    """

    def __init__(
        self, calls: Calls, class_name: str, number: int, sizes: Mapping[str, int] | None = None
    ) -> None:
        self._calls = calls
        self._class_name = class_name
        self._number = number
        self._sizes = sizes or {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        signature = self._calls.method(self._class_name, name)
        target, sizes = {"handle": self._number, "name": name}, self._sizes
        return lambda *args, **named: self._calls.invoke(target, signature, args, named, sizes)

    def state(self, shapes: Mapping[str, tuple[int, ...]] | None = None) -> dict[str, Array]:
        """The named parameters and buffers of a torch.nn.Module.

        Args:
            shapes: the entries that the statement fixes, by name; the state is then held to them.

        Raises:
            ProgramError: the object is none, or the answer is malformed; with ``shapes`` also,
                as ``bad-output``, an entry that is missing, too many, of another shape than
                stated, of another type than float32, or not finite.
        """
        state = self._calls.state(self._number)
        if shapes is not None:
            weights.require(self._class_name, state, shapes)
        return state

    def load(self, arrays: Mapping[str, Array]) -> None:
        """Loads named parameters and buffers into a torch.nn.Module.

        Raises:
            ProgramError: the object is none, or refuses them.
        """
        self._calls.load_state(self._number, arrays)


class Calls:
    """Makes the calls of one program during one trial.

    Every request carries a seed for the global generators, drawn from ``rng``.

    Attributes:
        transcript: the calls so far, where they are recorded.
        served: the environments whose steps the program may ask for.
    """

    def __init__(
        self,
        channel: Channel,
        contract: Contract,
        rng: np.random.Generator,
        transcript: Transcript,
        observe: Observe | None = None,
    ) -> None:
        self.transcript = transcript
        self._channel = channel
        self._contract = contract
        self._rng = rng
        self._observe = observe
        self.served: list[Served] = []

    def signature(self, name: str) -> Signature:
        """The signature of a function; raises ContractError."""
        try:
            return self._contract.functions[name]
        except KeyError:
            raise ContractError(f"the starter defines no function {name}") from None

    def method(self, class_name: str, name: str) -> Signature:
        """The signature of a method; raises ContractError."""
        try:
            return self._contract.classes[class_name].methods[name]
        except KeyError:
            raise ContractError(f"the starter defines no method {class_name}.{name}") from None

    def draw_seed(self) -> int:
        """A fresh seed, of 62 bits."""
        return int(self._rng.integers(2**62))

    def serve(
        self, env: VectorEnv, observation_shape: tuple[int, ...], num_actions: int, max_steps: int
    ) -> Served:
        """Registers an environment whose steps the program may ask for."""
        served = Served(env, observation_shape, num_actions, self.draw_seed(), max_steps)
        self.served.append(served)
        return served

    def renew(self, *, sandbox: bool) -> None:
        """See :meth:`harness.collect.proxy.ProgramProxy.renew`."""
        self._channel.renew(sandbox=sandbox)

    def invoke(
        self,
        target: Mapping[str, Any],
        signature: Signature,
        args: Sequence[Any],
        named: Mapping[str, Any],
        sizes: Mapping[str, int] | None = None,
    ) -> Any:
        """One call; a tuple where the contract has one, else the one result.

        A call that returns a count (``int``) and ends because an environment's budget of steps is
        used up gives the number of calls of its ``step``. ``sizes`` are those of axes that the
        arguments need not determine.

        Raises:
            ContractError: the contract does not allow the call.
            ProgramError: the program did not deliver.
        """
        results = self._results(target, signature, args, named, self.draw_seed(), sizes)
        sent = _by_name(signature, args, named)
        self.transcript.note(signature.name, sent, results, instance=target.get("handle"))
        return _unpacked(signature, results)

    def again(self, name: str, args: Sequence[Any], seed: int) -> Any:
        """One more call of a function, outside of the transcript and of the stream of seeds.

        ``seed`` is what the global generators are seeded with. Raises as :meth:`invoke` does.
        """
        signature = self.signature(name)
        return _unpacked(signature, self._results({"name": name}, signature, args, {}, seed))

    def _results(
        self,
        target: Mapping[str, Any],
        signature: Signature,
        args: Sequence[Any],
        named: Mapping[str, Any],
        seed: int,
        sizes: Mapping[str, int] | None = None,
    ) -> tuple[Any, ...]:
        if isinstance(signature.returns, NoneType | HandleType):
            raise ContractError(f"{signature.name}: what it returns cannot be measured")
        dims, message, arrays = self._pack(signature, args, named)
        try:
            frame = self._request({"op": "call", "target": target, **message}, arrays, seed)
        except ProgramError as error:
            spent = next((env for env in reversed(self.served) if env.spent), None)
            if error.cause != Cause.BUDGET or spent is None or signature.returns != _COUNT:
                raise
            spent.ended = signature.name
            return (spent.calls,)
        return _results(signature, {**(sizes or {}), **dims}, frame)

    def new(self, class_name: str, args: Sequence[Any], named: Mapping[str, Any]) -> Handle:
        """An instance of a class of the contract; see :meth:`invoke` for the errors."""
        if class_name not in self._contract.classes:
            raise ContractError(f"the starter defines no class {class_name}")
        init = self._contract.classes[class_name].init
        dims, message, arrays = self._pack(init, args, named, class_name)
        frame = self._request({"op": "new", "target": {"name": class_name}, **message}, arrays)
        number = frame.message.get("handle")
        if type(number) is not int or number < 0:
            raise ProgramError("protocol", "the worker made no object")
        sent = _by_name(init, args, named)
        self.transcript.note(class_name, sent, (), instance=number)
        sizes = {axis: size for axis, size in dims.items() if not axis.startswith("...")}
        return Handle(self, class_name, number, sizes)

    def vjp(
        self, name: str, args: Sequence[Any], wrt: Sequence[int], cotangent: Array
    ) -> tuple[Array, ...]:
        """See :meth:`harness.collect.proxy.ProgramProxy.vjp`."""
        signature = self.signature(name)
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
        expected = [_described(np.asarray(args[index])) for index in wrt]
        if [_described(array) for array in frame.arrays] != expected:
            raise ProgramError("protocol", "gradients of another dtype or shape came back")
        graph = frame.message.get("graph")
        if not isinstance(graph, list) or len(graph) != len(wrt):
            raise ProgramError("protocol", "the worker did not say what is in the graph")
        cut = [signature.params[i].name for i, whole in zip(wrt, graph, strict=True) if not whole]
        names = [*(param.name for param in signature.params[: len(args)]), "cotangent"]
        by = [names[index] for index in wrt]
        call = f"gradient of {name}"
        sent = dict(zip(names, [*args, cotangent], strict=True))
        self.transcript.note(call, sent, frame.arrays, cut=cut, by=by)
        return frame.arrays

    def state(self, number: int) -> dict[str, Array]:
        """See :meth:`Handle.state`."""
        frame = self._request({"op": "state", "handle": number}, [])
        match frame.message.get("names"):
            case [*names] if all(isinstance(name, str) for name in names):
                if len(set(names)) == len(names) == len(frame.arrays):
                    state = dict(zip(names, frame.arrays, strict=True))
                    self._expect_loadable(state)
                    return state
        raise ProgramError("protocol", "a state is named arrays")

    def load_state(self, number: int, arrays: Mapping[str, Array]) -> None:
        """See :meth:`Handle.load`."""
        self._expect_loadable(arrays)
        self._request(_load_request(number, arrays), list(arrays.values()))

    def _expect_loadable(self, state: Mapping[str, Array]) -> None:
        """Checks that a state can be sent back: its names and shapes fit into one request.

        Raises:
            ProgramError: they don't. A reply leaves more room for names than a request does.
        """
        largest = {"seed": _LARGEST, "nonce": _LARGEST}
        try:
            wire.encode({**_load_request(_LARGEST, state), **largest}, list(state.values()))
        except wire.WireError as error:
            raise ProgramError(
                "bad-output", f"the names and shapes of a state are too long or too many: {error}"
            ) from None

    def _pack(
        self, signature: Signature, args: Sequence[Any], named: Mapping[str, Any], owner: str = ""
    ) -> tuple[dict[str, int], dict[str, Any], list[Array]]:
        """The sizes of axes that a call determines, its message and its arrays.

        ``owner`` is what an observer is told for a constructor: the name of its class.
        """
        dims = bind(
            signature,
            [_described(value) for value in args],
            {name: _described(value) for name, value in named.items()},
        )
        if self._observe is not None:
            sent = _by_name(signature, args, named)
            self._observe(owner or signature.name, signature, dims, sent)
        arrays: list[Array] = []
        types = {param.name: param.type for param in signature.params}
        message = {
            "args": [
                self._spec(value, name, types[name], arrays)
                for value, name in zip(args, types, strict=False)
            ],
            "named": {
                name: self._spec(value, name, types[name], arrays) for name, value in named.items()
            },
        }
        return dims, message, arrays

    def _spec(  # noqa: PLR0911 - one return for each kind of argument
        self, value: Any, name: str, type_: Type, arrays: list[Array]
    ) -> dict[str, Any]:
        """An argument as it crosses the wire; its array, if it has one, is added to ``arrays``.

        That of a tensor has the name which the contract gives it, for the worker's messages.
        """
        match value:
            case Seed() if isinstance(type_, GeneratorType):
                used = {"used": True} if value.used else {}
                return {"t": type_.name, "seed": value.value, **used}
            case Given():
                first = len(arrays)
                arrays.extend(np.asarray(item) for item in value.parameters)
                return {"t": "given", "name": value.name, "params": list(range(first, len(arrays)))}
            case File():
                return {"t": "file", "name": value.name}
            case Handle():
                return {"t": "handle", "id": value._number}
            case Served():
                number = self.served.index(value)
                return {"t": "environment", "id": number, **value.described()}
            case int() | float() if type_ == ScalarType("float"):
                # in hexadecimal, since JSON has neither NaN nor infinity
                return {"t": "float", "v": float(value).hex()}
            case bool() | int() | str():
                return {"t": "value", "v": value}
        arrays.append(np.asarray(value))
        return {"t": "tensor", "i": len(arrays) - 1, "name": name}

    def _request(
        self, message: dict[str, Any], arrays: Sequence[Array], seed: int | None = None
    ) -> wire.Frame:
        answer: Answer | None = self._answer if self.served else None
        seed = self.draw_seed() if seed is None else seed
        return self._channel.request({**message, "seed": seed}, arrays, answer)

    def _answer(self, message: Mapping[str, Any], arrays: tuple[Array, ...]) -> wire.Frame:
        """Answers a step or reset that the program asks of an environment."""
        number, verb = message.get("id"), message.get("verb")
        if type(number) is not int or not 0 <= number < len(self.served):
            raise ProgramError("protocol", "the worker asked for an environment it was not given")
        if not isinstance(verb, str):
            raise ProgramError("protocol", "an environment is asked to reset or to step")
        return self.served[number].answer(verb, arrays)


def _by_name(signature: Signature, args: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by the names of their parameters."""
    return {**{p.name: arg for p, arg in zip(signature.params, args, strict=False)}, **named}


def _load_request(number: int, arrays: Mapping[str, Array]) -> dict[str, Any]:
    return {"op": "load-state", "handle": number, "names": list(arrays)}


def _unpacked(signature: Signature, results: tuple[Any, ...]) -> Any:
    """A tuple where the contract has one, else the one result."""
    if isinstance(signature.returns, TupleType):
        return results
    return results[0] if results else None


def _results(signature: Signature, dims: Mapping[str, int], frame: wire.Frame) -> tuple[Any, ...]:
    """The results of a call, held against its signature."""
    returns = signature.returns
    described = [_described(array) for array in frame.arrays]
    problem = check_result(returns, dims, described) or _kind_problem(returns, frame)
    if problem is not None:
        raise ProgramError("bad-output", f"{signature.name}: {problem}")
    leaves = returns.items if isinstance(returns, TupleType) else (returns,)
    return tuple(
        array if isinstance(leaf, ArrayType) else array[()].item()
        for leaf, array in zip(leaves, frame.arrays, strict=True)
    )


def _kind_problem(returns: Type, frame: wire.Frame) -> str | None:
    """What is wrong with the kinds of object, tensor or number, that the program returned."""
    leaves = returns.items if isinstance(returns, TupleType) else (returns,)
    kinds = frame.message.get("kinds")
    if not isinstance(kinds, list) or len(kinds) != len(leaves):
        raise ProgramError("protocol", "the worker did not say what came back")
    if not all(isinstance(kind, str) for kind in kinds):
        raise ProgramError("protocol", "the worker did not say what came back")
    for leaf, kind in zip(leaves, kinds, strict=True):
        expected = leaf.name if isinstance(leaf, ScalarType) else "tensor"
        if kind != expected:
            return f"expected a {expected}, got a {kind[:20]}"
    return None


def _described(value: Any) -> Any:
    """What a contract is checked with: dtype and shape of an array, other values themselves."""
    if isinstance(value, np.ndarray | np.generic):
        return (value.dtype.name, tuple(value.shape))
    if isinstance(value, File):
        return value.name
    return value
