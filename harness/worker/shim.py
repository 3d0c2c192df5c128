"""The worker: loads one submitted file and answers the grader's calls until the socket closes.

Arrays become tensors of their own dtype; what comes back is sent as it is and never cast. Global
generators are reseeded after the import and before every call, from integers that the grader
draws. The checks that are made here give good messages; the grader relies on its own alone.
"""

from __future__ import annotations

import faulthandler
import functools
import importlib.util
import random
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from harness import wire
from harness.worker.arguments import Arguments
from harness.worker.explanation import Refusal, explain
from harness.worker.transport import SocketTransport, Transport

#: The highest recursion limit that a program may set. Under Python 3.11 so many calls by way of C
#: take up to 25 MiB of the stack, of which a worker has 64; later versions limit such calls by
#: themselves. Up to this number, endless recursion is a RecursionError under each version.
_DEEPEST_RECURSION = 10_000
_DTYPES = frozenset(getattr(torch, name) for name in wire.DTYPES)


@dataclass
class Worker:
    """The state of one worker: the loaded module and the objects that it made.

    Attributes:
        transport: the way to the grader.
        directory: where the program's files lie.
        result_bytes: how large the results of one call may be.
        arrays: those of the message received last.
    """

    transport: Transport
    directory: Path
    result_bytes: int
    module: ModuleType | None = None
    given: ModuleType | None = None
    objects: list[object] = field(default_factory=list)
    arrays: tuple[wire.Array, ...] = ()

    def receive(self) -> Mapping[str, Any]:
        """The next message; its arrays are kept in :attr:`arrays`."""
        frame = self.transport.receive()
        self.arrays = frame.arrays
        return frame.message

    def send(self, message: Mapping[str, Any], arrays: Sequence[wire.Array] = ()) -> None:
        """Sends a message to the grader."""
        self.transport.send(message, arrays)

    def perform(self, message: Mapping[str, Any]) -> None:
        """Performs one request and sends its reply.

        Raises:
            BaseException: whatever the program raises; :func:`explain` puts it into words.
        """
        _OPERATIONS[message["op"]](self, message)


def serve(sock: socket.socket, request: Mapping[str, Any]) -> None:
    """Answers calls until the grader closes the socket."""
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    # the grader asks in which line a program is that takes too long: the stack goes to the socket
    faulthandler.register(signal.SIGUSR2, file=sock.fileno(), all_threads=False)
    _cap_recursion()
    worker = Worker(SocketTransport(sock), Path(request["program"]), request["result_bytes"])
    sys.path.append(str(worker.directory))
    while True:
        message = worker.receive()
        if message["op"] == "load":
            sys.argv = [message["file"]]  # as where the file itself is run
        try:
            worker.perform(message)
        except BaseException as error:
            try:
                cause, text = explain(error, worker.directory)
            except BaseException:  # an exception may lie about its name, its file and its lines
                cause, text = "exception", "raised an exception that cannot be shown"
            worker.send({"nonce": message["nonce"], "ok": False, "cause": cause, "message": text})


def _cap_recursion() -> None:
    """Keeps ``sys.setrecursionlimit`` within the stack, for a good message; it protects nothing."""
    set_limit = sys.setrecursionlimit

    @functools.wraps(set_limit)
    def capped(limit: int, /) -> None:
        set_limit(min(limit, _DEEPEST_RECURSION))

    sys.setrecursionlimit = capped


def _load(worker: Worker, message: Mapping[str, Any]) -> None:
    if message["given"]:
        worker.given = _import(worker.directory / "given.py", "given")
    worker.module = _import(worker.directory / message["file"], message["module"])
    worker.send({"nonce": message["nonce"], "ok": True})


def _import(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Refusal("missing-file", f"{path.name} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _call(worker: Worker, message: Mapping[str, Any]) -> None:
    function = _target(worker, message["target"])
    arguments = Arguments.of(worker, message)
    reseed(message["seed"])
    results = arguments.passed_to(function, message["target"]["name"])
    _reply(worker, message, results)


def _new(worker: Worker, message: Mapping[str, Any]) -> None:
    made = _target(worker, message["target"])
    arguments = Arguments.of(worker, message)
    reseed(message["seed"])
    worker.objects.append(arguments.passed_to(made, message["target"]["name"]))
    worker.send({"nonce": message["nonce"], "ok": True, "handle": len(worker.objects) - 1})


def _vjp(worker: Worker, message: Mapping[str, Any]) -> None:
    function = _target(worker, message["target"])
    name = message["target"]["name"]
    arguments = Arguments.of(worker, message)
    reseed(message["seed"])
    inputs = [arguments.args[index].requires_grad_() for index in message["wrt"]]
    output = arguments.passed_to(function, name)
    if not isinstance(output, torch.Tensor):
        raise Refusal(
            "bad-output", f"returned {_kind(output)}, expected one tensor to differentiate"
        )
    cotangent = torch.from_numpy(worker.arrays[message["cotangent"]].copy())
    if output.shape != cotangent.shape or output.dtype != cotangent.dtype:
        raise Refusal(
            "bad-output",
            f"returned {output.dtype} of shape {list(output.shape)}, "
            f"expected {cotangent.dtype} of shape {list(cotangent.shape)}",
        )
    grads: Sequence[torch.Tensor | None] = [None] * len(inputs)
    if output.requires_grad:
        # not grad(output, inputs, cotangent): torch would import sympy to compare the shapes, .4
        # processor seconds in every worker; the gradient of the sum is the cotangent, bit for bit
        total = (output * cotangent).sum()
        grads = torch.autograd.grad(total, inputs, allow_unused=True)
        arguments.expect_unchanged(name)  # a backward of the program's own has run, too
    results = tuple(
        torch.zeros_like(item) if grad is None else grad
        for item, grad in zip(inputs, grads, strict=True)
    )
    _reply(worker, message, results, graph=[grad is not None for grad in grads])


def _state(worker: Worker, message: Mapping[str, Any]) -> None:
    module = worker.objects[message["handle"]]
    if not isinstance(module, torch.nn.Module):
        raise Refusal("bad-output", f"{_kind(module)} is no torch.nn.Module and has no state")
    state = module.state_dict()
    _reply(worker, message, tuple(state.values()), names=list(state))


def _load_state(worker: Worker, message: Mapping[str, Any]) -> None:
    module = worker.objects[message["handle"]]
    if not isinstance(module, torch.nn.Module):
        raise Refusal("bad-output", f"{_kind(module)} is no torch.nn.Module and has no state")
    tensors = [torch.from_numpy(array.copy()) for array in worker.arrays]
    module.load_state_dict(dict(zip(message["names"], tensors, strict=True)))
    worker.send({"nonce": message["nonce"], "ok": True})


_OPERATIONS: Mapping[str, Callable[[Worker, Mapping[str, Any]], None]] = {
    "load": _load,
    "call": _call,
    "new": _new,
    "vjp": _vjp,
    "state": _state,
    "load-state": _load_state,
}


def _target(worker: Worker, target: Mapping[str, Any]) -> Callable[..., Any]:
    owner: object = worker.module
    label = target["name"]
    if "handle" in target:
        owner = worker.objects[target["handle"]]
        label = f"{type(owner).__name__}.{label}"
    function = getattr(owner, target["name"], None)
    if function is None:
        raise Refusal("missing-name", f"the file does not define {label}")
    if not callable(function):
        raise Refusal("missing-name", f"{label} is {_kind(function)}, expected something callable")
    return function  # type: ignore[no-any-return]


def reseed(seed: int) -> None:
    """Seeds the global generators from the grader's integer; nothing else of the harness does.

    Without an accelerator ``torch.manual_seed`` would queue the seed, with a formatted stack, for
    each kind of device that might be initialised later: 0.9 ms a call, and the queues grow.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    if _accelerated():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


@functools.cache
def _accelerated() -> bool:
    return bool(torch.accelerator.is_available())


def _reply(worker: Worker, message: Mapping[str, Any], results: object, **extra: object) -> None:
    items = results if isinstance(results, tuple) else (results,)
    budget = worker.result_bytes
    name = message["target"]["name"] + ": " if "target" in message else ""
    kinds, arrays = [], []
    entries = extra.get("names")
    for position, item in enumerate(items):
        where = f"result {position + 1} of {len(items)}" if len(items) > 1 else "the result"
        if isinstance(entries, list):
            where = f"the entry {str(entries[position])[:80]!r} of the state_dict"
        kind, array = _export(item, name + where, budget)
        kinds.append(kind)
        arrays.append(array)
        budget -= array.nbytes
    worker.send({"nonce": message["nonce"], "ok": True, "kinds": kinds, **extra}, arrays)


def _export(item: object, where: str, budget: int) -> tuple[str, wire.Array]:
    if isinstance(item, torch.Tensor):
        if item.layout != torch.strided:
            raise Refusal("bad-output", f"{where} is a {item.layout} tensor, expected a dense one")
        if item.dtype not in _DTYPES:
            expected = "float64, float32, whole numbers or bool"
            raise Refusal("bad-output", f"{where} is a tensor of {item.dtype}, expected {expected}")
        tensor = item.as_subclass(torch.Tensor).detach()
        if tensor.numel() * tensor.element_size() > budget:
            raise Refusal("bad-output", f"{where} has {tensor.numel()} elements: too large")
        return "tensor", tensor.cpu().resolve_neg().contiguous().numpy()
    if type(item) is bool:
        return "bool", np.array(item)
    if type(item) is int:
        if not -(2**63) <= item < 2**63:
            bits = item.bit_length()
            raise Refusal("bad-output", f"{where} is an int of {bits} bits; at most 64 are taken")
        return "int", np.array(item, dtype=np.int64)
    if type(item) is float:
        return "float", np.array(item, dtype=np.float64)
    raise Refusal("bad-output", f"{where} is {_kind(item)}, expected a torch.Tensor or a number")


def _kind(item: object) -> str:
    name = type(item).__name__
    return "None" if item is None else f"{'an' if name[:1] in 'aeiouAEIOU' else 'a'} {name}"
