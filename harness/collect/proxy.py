"""The program as a measurement sees it: named functions that take and return numpy arrays.

The measurement never sees a tensor, an exception object or a number that the program computed about
itself. Every call is checked against the contract (:mod:`harness.collect.calls`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any, NoReturn

import numpy as np

from harness import environments
from harness.collect.arguments import File, Given, Seed, Served
from harness.collect.calls import Array, Calls, Channel, Handle, Observe
from harness.collect.transcript import Transcript
from harness.contract import Contract, GeneratorType
from harness.environments import Disguised
from harness.environments.records import VectorEnv
from harness.errors import MeasurementError, ProgramError
from harness.images import Images, Source, load, source
from harness.spec.domain import Domain
from harness.spec.example import Material, ReadyCall
from harness.spec.instances import GivenFunction, Instances


class ProgramProxy:
    """One program during one trial.

    ``student.f(*arrays)`` calls a function of the contract. The other verbs are methods of this
    class. Its public names are taken (:data:`harness.contract.PROGRAM_NAMES`): a starter that
    defines one of them is refused when it is loaded.

    ``material`` is what the task declares: its domain, its images and environments, the
    calls of its example.
    ``observe`` is told of every call that is about to be made.
    """

    def __init__(
        self,
        channel: Channel,
        contract: Contract,
        rng: np.random.Generator,
        *,
        record: bool = False,
        material: Material | None = None,
        observe: Observe | None = None,
    ) -> None:
        self._calls = Calls(channel, contract, rng, Transcript(record=record), observe)
        self._material = material or Material(Instances(Domain()), ())
        self._used: set[str] = set()  # functions that were given a generator which is not fresh

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        signature = self._calls.signature(name)
        return lambda *args, **named: self._calls.invoke({"name": name}, signature, args, named)

    @property
    def transcript(self) -> list[dict[str, Any]]:
        """The calls so far, where they are recorded; see :class:`Transcript`."""
        return self._calls.transcript.entries

    @property
    def notice(self) -> str:
        """What the student is to know of environments in a trial that delivered; mostly empty."""
        sentences = (sentence for env in self._calls.served for sentence in env.notices())
        return "; ".join(dict.fromkeys(sentences))

    @property
    def served(self) -> Sequence[Served]:
        """The environments that were handed over so far, with what the grader counted of each."""
        return self._calls.served

    @property
    def domain(self) -> Instances:
        """Draws sizes and values from the task's domain, its edges always among them."""
        return self._material.instances

    def images(self) -> Images:
        """The set of images that the task declares, as it comes with the harness.

        Raises:
            MeasurementError: the task declares none.
        """
        if self._material.images is None:
            raise MeasurementError("the task has no images", "declare `images:` in its task.yaml")
        return load(self._material.images)

    def source(self, rng: np.random.Generator) -> Source:
        """A source of binary images of 64 pixels with a known law, drawn by the generator."""
        return source.draw(rng)

    def environment(self, name: environments.Name, rng: np.random.Generator) -> Disguised:
        """An instance of an environment that the task declares, to be served and played.

        Raises:
            MeasurementError: the task does not declare it.
        """
        if name not in self._material.environments:
            raise MeasurementError(
                f"the task has no environment {name}", "declare `environments:` in its task.yaml"
            )
        return environments.draw(name, rng)

    def example(self) -> Array:
        """Whether each call of the worked example gives what the statement says; bool [calls].

        Raises:
            MeasurementError: the task has none.
            ProgramError: the program did not deliver.
        """
        if not self._material.example:
            raise MeasurementError("the task has no worked example", "write its example.yaml")
        handles: dict[str, Handle] = {}
        calls = self._material.example
        return np.array([call.agrees(self._replayed(call, handles)) for call in calls], dtype=bool)

    def _replayed(self, call: ReadyCall, handles: dict[str, Handle]) -> tuple[Any, ...]:
        """The results of one call of the example; none where it makes an instance or fills one."""
        source = call.source
        if source.loads:
            module = handles[source.loads]
            module.load({**module.state(), **call.arguments})
            return ()
        named = {
            name: Given(value.name, value.parameters) if isinstance(value, GivenFunction) else value
            for name, value in call.arguments.items()
        }
        if source.by:
            args = [named[param.name] for param in call.signature.params if param.name in named]
            wrt = [list(named).index(name) for name in source.by]
            return self.vjp(source.call, args, wrt, self._ones(source.call, args))
        # by place, as measurements call: a program may call its parameters something else
        params = [param.name for param in call.signature.params]
        args = [named.pop(each) for each in takewhile(call.arguments.__contains__, params)]
        if source.instance is not None:
            handles[source.instance] = self.new(source.call, *args, **named)
            return ()
        owner, _, name = source.call.rpartition(".")
        result = getattr(handles[owner] if owner else self, name)(*args, **named)
        return result if isinstance(result, tuple) else (result,)

    def _ones(self, name: str, args: Sequence[Any]) -> Array:
        """A cotangent of ones for the result of a function."""
        return np.ones_like(np.asarray(getattr(self, name)(*args)))

    def renew(self, *, sandbox: bool = False) -> None:
        """Goes on with a new process that has loaded the file anew; nothing of the old one is left.

        Handles that were made before are dead. With ``sandbox`` nothing that the two processes
        could share survives either: for what must not pass from one to the other, such as the
        images from an encoder to a decoder. That takes seconds, a new process milliseconds.
        """
        self._calls.renew(sandbox=sandbox)

    def generator(self) -> Seed:
        """A fresh seed, for an argument that the contract types as a generator."""
        return Seed(self._calls.draw_seed())

    def given(self, name: str, *parameters: Array) -> Given:
        """A function of given.py, for an argument that the contract types as a callable."""
        return Given(name, parameters)

    def file(self, name: str) -> File:
        """The path of a submitted file, for an argument that the contract types as ``str``."""
        return File(name)

    def serve(
        self, env: VectorEnv, observation_shape: tuple[int, ...], num_actions: int, max_steps: int
    ) -> Served:
        """Serves an environment that runs in the grader, as an argument of one call.

        ``observation_shape`` is that of one sub-environment; ``max_steps`` is the budget of
        sub-environment steps in all.
        """
        return self._calls.serve(env, observation_shape, num_actions, max_steps)

    def refuse(self, message: str) -> NoReturn:
        """Ends the trial: an answer of the right shape that the rules of the task do not allow.

        Raises:
            ProgramError: always, with cause ``bad-output``.
        """
        raise ProgramError("bad-output", message)

    def independent(self, name: str, *args: Any, replicates: int) -> list[Any]:
        """The results of ``replicates`` calls that differ in their seed alone.

        ``args`` leave out the generator, which the contract must have as its last parameter. Where
        it has one, the first call is made once more with its generator and other seeds of the
        global generators: the result must be the same. In the first of these calls of a function it
        is made a third time, with that generator after a number was drawn from it.

        Raises:
            ProgramError: two replicates are identical: the program reseeds a generator. Or the same
                generator gave other draws: the program draws from elsewhere. Or it gave the same
                after a number was drawn: the program draws from one of its own.
        """
        call = getattr(self, name)
        last = self._calls.signature(name).params[-1]
        takes_generator = isinstance(last.type, GeneratorType)
        seeds: list[Seed] = []
        results, distinct = [], set()
        for _ in range(replicates):
            if takes_generator:
                seeds.append(self.generator())
            result = call(*args, *seeds[-1:])
            distinct.add(_bytes(result))
            results.append(result)
        if not all(np.isfinite(np.asarray(part)).all() for part in _parts(results)):
            return results
        if len(distinct) < replicates:
            raise ProgramError(
                "reseeded",
                f"{name} returned the same draws for different generators: your code reseeds a "
                "generator (such as torch.manual_seed inside a function) or ignores the one given",
            )
        if seeds:
            self._expect_the_same(name, args, seeds[0], results[0])
            if name not in self._used:
                self._used.add(name)
                self._expect_others(name, args, seeds[0], results[0])
        return results

    def _expect_the_same(self, name: str, args: Sequence[Any], seed: Seed, first: Any) -> None:
        """Checks that a generator in the same state gives the same draws.

        The seed of the global generators is another one. It is derived and not drawn, so that the
        seeds of later calls are what they would be without this call.
        """
        again = self._calls.again(name, (*args, seed), seed.value ^ 1)
        if _bytes(again) != _bytes(first):
            raise ProgramError(
                "reseeded",
                f"{name} returned other draws for a generator in the same state: draw from the "
                "generator given alone (torch.randn(…, generator=generator)), not from torch's or "
                "numpy's global one or one of your own, and keep nothing from call to call",
            )

    def _expect_others(self, name: str, args: Sequence[Any], seed: Seed, first: Any) -> None:
        """Checks that a generator which was drawn from before gives other draws.

        One that the program makes from the seed of the given one would begin anew.
        """
        again = self._calls.again(name, (*args, replace(seed, used=True)), seed.value)
        if _bytes(again) == _bytes(first):
            raise ProgramError(
                "reseeded",
                f"{name} returned the same draws for a generator from which a number had been "
                "drawn before: your code makes a generator of its own from the seed of the one "
                "given (such as by initial_seed()); draw from the generator given itself",
            )

    def new(self, class_name: str, /, *args: Any, **config: Any) -> Handle:
        """An instance of a class of the contract.

        Raises:
            ContractError: the contract has no such class, or does not allow the arguments.
            ProgramError: the program did not deliver.
        """
        return self._calls.new(class_name, args, config)

    def vjp(
        self, name: str, args: Sequence[Any], wrt: Sequence[int], cotangent: Array
    ) -> tuple[Array, ...]:
        """Vector-Jacobian products, by autograd in the worker: cotangentᵀ ∂f/∂args[i], i in wrt.

        ``cotangent`` has the dtype and shape of the result, each product those of its argument. An
        argument that the result does not depend on through the graph has gradient zero, so
        such gradients count only against a non-zero reference.

        Raises:
            ContractError: the contract does not allow the call, or the cotangent does not fit.
            ProgramError: the program did not deliver.
        """
        return self._calls.vjp(name, args, wrt, cotangent)


def _bytes(result: Any) -> tuple[bytes, ...]:
    """What is compared of a result: the bytes of its arrays and numbers."""
    return tuple(np.asarray(part).tobytes() for part in _parts([result]))


def _parts(results: Sequence[Any]) -> Iterator[Any]:
    """Every array or number among some results, those in tuples included."""
    for result in results:
        yield from result if isinstance(result, tuple) else (result,)
