"""What weights from home are worth where parameters are marked: ``python docs/evidence/cheats.py``.

A program cannot see the data that count, so what is left to a cheat is to bring weights along. For
every task whose mark is computed from parameters alone, weights that the reference solution trained
at home are handed in for other seeds: once those of another seed, once those of all 1,797 digits
without a disguise, and where the images come from a drawn source, those of images of 200 sources.
docs/evidence/cheats.csv has what the measurement makes of them, beside the seed at home;
docs/generative.md has the table, and that of :mod:`order`, which puts weights into the order of the
pixels first. Five to twenty processor seconds a task; with names only these.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from targets import module

from harness import images
from harness.errors import ProgramError
from harness.files import read_csv, write_csv
from harness.images import Source, source
from harness.kinds import seed_success
from harness.spec.checks import SeedSuccessCheck
from harness.spec.load import load_task

ROOT = Path(__file__).resolve().parents[2]
CSV = ROOT / "docs" / "evidence" / "cheats.csv"
#: Seeds on which weights from home are tried.
SEEDS = 20
#: Sources at home, where the images of a seed come from a drawn one.
SOURCES = 200
#: The tasks: check and measurement that train, and from where else weights may come.
TASKS = {
    "ae-denoising": ("denoises", "learn", ("the public originals", "200 sources")),
    "vae-digits": ("learns", "learn", ("the public originals", "200 sources")),
    "vae-beta-tradeoff": ("learns", "tradeoff", ("the public originals", "200 sources")),
    "px-digits": ("learns", "learn", ("the public originals",)),
    "px-known-entropy": ("learns", "learn", ()),
    "cvae-conditional": ("learns", "learn", ()),
    "vae-2d-gaussian": ("learns", "learn", ()),
}


@dataclass(frozen=True)
class Row:
    """Weights from one place on marked seeds.

    Attributes:
        source: ``at home`` (trained on this seed), ``another seed`` or what else was learnt from.
        succeeded: seeds of so many that reach the threshold.
        least, most: what the metric came to.
        cpu_s: processor seconds, training included.
    """

    task: str
    check: str
    source: str
    seeds: int
    succeeded: int
    least: float
    most: float
    threshold: float
    cpu_s: float


COLUMNS = [column.name for column in fields(Row)]


class Home:
    """Stands for a student: trains with the reference, or returns what was trained before.

    Args:
        data: replaces the arrays that are to be learnt from; as they come if None.
        kept: what former trainings left, in order; trains if empty.
    """

    def __init__(
        self,
        solution: ModuleType,
        data: Callable[[np.ndarray], np.ndarray] | None = None,
        kept: Iterable[Any] = (),
    ) -> None:
        self.solution, self.data, self.left = solution, data, list(kept)
        self.made: list[Any] = []
        self._replays = iter(self.left)
        self._trains = not self.left
        self._model: Any = None

    def images(self) -> images.Images:
        return images.load("digits")

    def source(self, rng: np.random.Generator) -> Source:
        return source.draw(rng)

    def generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(len(self.made))

    def refuse(self, message: str) -> None:
        raise ProgramError("bad-output", message)

    def new(self, name: str) -> Home:
        if self._trains:
            self._model = getattr(self.solution, name)()
        return self

    def fit(self, *args: Any) -> Any:
        """Trains the model, or the function of this name where there is no class."""
        if not self._trains:
            self.made.append(next(self._replays))
        else:
            given = [
                torch.from_numpy(self.data(item) if self.data else item)
                if isinstance(item, np.ndarray)
                else item
                for item in args
            ]
            if self._model is None:
                self.made.append([part.numpy() for part in self.solution.fit(*given)])
            else:
                self._model.fit(*given)
                state = self._model.state_dict()
                self.made.append({key: value.numpy() for key, value in state.items()})
        return self.made[-1]

    def state(self) -> Any:
        return self.made[-1]


def originals(like: np.ndarray) -> np.ndarray:
    """All digits without deformation and disguise, in the shape of a measurement's images."""
    return images.load("digits").binary().reshape(-1, *like.shape[1:]).astype(like.dtype)


def many_sources(like: np.ndarray) -> np.ndarray:
    """As many images as a measurement has, of 200 sources that no seed draws."""
    rng = np.random.default_rng([14, 0, 1])
    count = len(like) // SOURCES
    drawn = [source.draw(rng).drawn(rng, count) for _ in range(SOURCES)]
    return np.concatenate(drawn).astype(like.dtype)


#: From where weights may come besides another seed: what is learnt from in its place.
ELSEWHERE = {"the public originals": originals, f"{SOURCES} sources": many_sources}


def rows(name: str) -> list[Row]:
    """The rows of one task."""
    check_id, measurement, elsewhere = TASKS[name]
    check = load_task(ROOT / "tasks" / name, ROOT / "reference" / name).spec.check(check_id)
    assert isinstance(check, SeedSuccessCheck)
    solution = module(f"reference/{name}/solution.py")
    measure = getattr(module(f"tasks/{name}/measure.py"), measurement)

    def value(student: Home, seed: int) -> float:
        return float(measure(student, np.random.default_rng([14, seed]))[check.metric])

    found = []
    for place in ("another seed", *elsewhere):
        data = ELSEWHERE.get(place)
        started = time.process_time()
        torch.manual_seed(14)
        trained = Home(solution, data)
        at_home = value(trained, 0)
        values = [value(Home(solution, kept=trained.made), seed) for seed in range(1, SEEDS + 1)]
        cpu_s = round(time.process_time() - started, 1)
        if data is None:
            found.append(row_of(name, check, "at home", [at_home], cpu_s))
        found.append(row_of(name, check, place, values, cpu_s))
    return found


def row_of(
    name: str, check: SeedSuccessCheck, place: str, values: list[float], cpu_s: float
) -> Row:
    """What weights from one place came to, seed by seed, as a row."""
    succeeded = sum(seed_success.succeeds(check, value) for value in values)
    ends = (round(min(values), 4), round(max(values), 4))
    return Row(name, check.id, place, len(values), succeeded, *ends, check.threshold, cpu_s)


def read() -> list[Row]:
    """The rows that are stored; none where there is no file."""
    return [parsed(item) for item in read_csv(CSV, COLUMNS)]


def parsed(item: Mapping[str, str]) -> Row:
    """A row from its texts."""
    return Row(
        *(item["task"], item["check"], item["source"]),
        *(int(item["seeds"]), int(item["succeeded"])),
        *(float(item[name]) for name in ("least", "most", "threshold", "cpu_s")),
    )


def write(found: Iterable[Row]) -> None:
    """The rows, in the order of the tasks."""
    order = list(TASKS)
    ordered = sorted(found, key=lambda row: order.index(row.task))
    write_csv(CSV, COLUMNS, [asdict(row) for row in ordered])


def main() -> None:
    """Makes the rows of the tasks that are named, and keeps the others."""
    parser = argparse.ArgumentParser(description="What weights from home are worth.")
    parser.add_argument("names", nargs="*", metavar="TASK")
    torch.set_num_threads(1)
    for name in parser.parse_args().names or TASKS:
        found = rows(name)
        for row in found:
            print(row)
        write([*(row for row in read() if row.task != name), *found])


if __name__ == "__main__":
    main()
