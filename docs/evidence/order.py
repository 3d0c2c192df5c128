"""Weights from home, put into the order of the pixels: ``python docs/evidence/order.py``.

Some tasks put the pixels of a seed into an order of their own and invert about half of them, so
that weights from home are of no use as they are. A program may find both again from the training
images: correlations between pixels, without their signs, are matched with those of images made at
home (assignments, then exchanges of pairs), and signs follow from means and correlations. Weights
that the reference trained at home are then handed in; nothing is trained on the images of a seed.

Where the images come from a drawn source (:mod:`harness.images.source`), home is another source,
so there is no order to find. The last rows are of a cheat that no program can carry out: for every
group of pixels the exact law of the one among many groups at home that comes nearest, turned,
ordered and inverted by the true law of the seed.

docs/evidence/order.csv has what comes of it. About a processor minute a task; with names only
these.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch
from cheats import COLUMNS, CSV, ROOT, Home, Row, parsed, row_of
from scipy.optimize import linear_sum_assignment
from targets import module

from harness import images
from harness.files import read_csv, write_csv
from harness.images import Source, source
from harness.spec.checks import SeedSuccessCheck
from harness.spec.load import load_task

ORDER = CSV.with_name("order.csv")
SEEDS, COPIES, IMAGES = 20, 3, 4000
#: Seeds on which the true law is told.
TOLD = 4
#: Images whose posterior means are compared.
DENOISED = 500
#: Groups of pixels at home, of which the nearest is taken.
GROUPS = (3, 30, 300)
#: Angles by which the hidden pair of a group is turned, and mirrored, to come near another one.
ANGLES = 12
#: Pixels that are as far from ½ on average show by that whether they are inverted.
SURE = 0.3
Array = np.ndarray[Any, Any]
State = dict[str, Array]
Laws = Sequence[Array]


@dataclass(frozen=True)
class Trained:
    """A task whose ``fit`` is called for every entry of ``weights`` (of the KL), or once.

    Attributes:
        model: the class that the reference trains.
        first, last: the layers that read pixels and that answer with them.
        measurement: the function of measure.py that trains.
        drawn: whether the images come from a drawn source.
        sigma: of the noise, where estimates are marked and no likelihood.
    """

    model: str
    first: str
    last: str
    measurement: str
    weights: tuple[float, ...] = ()
    drawn: bool = False
    sigma: float | None = None


TASKS = {
    "vae-digits": Trained("VAE", "hidden", "logits", "learn", drawn=True),
    "vae-beta-tradeoff": Trained(
        "VAE", "encoder.0", "decoder.2", "tradeoff", (0.25, 1.0, 2.0), drawn=True
    ),
    "ae-denoising": Trained("DAE", "encoder", "decoder", "learn", drawn=True, sigma=0.5),
}


def correlations(x: Array) -> Array:
    """Between pixels; 0 for a pixel that never changes."""
    deviation = x - x.mean(axis=0)
    spread = x.std(axis=0)
    spread[spread == 0] = 1
    found: Array = deviation.T @ deviation / len(x) / np.outer(spread, spread)
    return found


def matched(home: Array, x: Array) -> tuple[Array, Array]:
    """For every pixel of x its place in the images of home, and whether it is inverted."""
    signed, own = correlations(home), correlations(x)
    a, b = np.abs(signed), np.abs(own)
    mean, mean_own = home.mean(axis=0) - 0.5, x.mean(axis=0) - 0.5
    apart = np.abs(np.abs(mean)[:, None] - np.abs(mean_own)[None])
    profiles = np.abs(np.sort(a, 1)[:, None] - np.sort(b, 1)[None]).sum(axis=2)
    place = _assigned(profiles + 8 * apart)
    for _ in range(60):
        new = _assigned(np.abs(a[:, place][:, None] - b[None]).sum(axis=2) + 4 * apart)
        if (new == place).all():
            break
        place = new
    place = _exchanged(a, b, place)
    sign = np.where(mean[place] * mean_own >= 0, 1, -1)
    sure = np.abs(mean[place]) > SURE
    evidence = signed[np.ix_(place, place)] * own
    for _ in range(20):
        sign = np.where(sure, sign, np.where(evidence @ sign >= 0, 1, -1))
    return place, sign < 0


def _assigned(cost: Array) -> Array:
    rows, columns = linear_sum_assignment(cost)
    place = np.empty(len(cost), dtype=int)
    place[columns] = rows
    return place


def _exchanged(a: Array, b: Array, place: Array) -> Array:
    """Exchanges pairs of pixels while that brings the correlations closer together."""

    def cost(tried: Array) -> float:
        return float(np.abs(a[np.ix_(tried, tried)] - b).sum())

    least = cost(place)
    for _ in range(6):
        before = least
        for first in range(len(place)):
            for second in range(first):
                tried = place.copy()
                tried[[first, second]] = tried[[second, first]]
                if (found := cost(tried)) < least - 1e-9:
                    place, least = tried, found
        if least == before:
            break
    return place


class Brought(Home):
    """Hands in weights from home, rearranged for the images of the seed; trains nothing."""

    def __init__(self, task: Trained, solution: ModuleType, home: Array, states: list[State]):
        super().__init__(solution, kept=states)
        self.task, self.home, self.states = task, home, states

    def fit(self, *args: Any) -> Any:
        """Takes the weights in turn; the order is found once for the images of a seed."""
        turn = len(self.made) % len(self.states)
        if turn == 0:
            self.place, self.inverted = matched(self.home, args[0])
        inverted, w = self.inverted, self.states[turn]
        sign = np.where(inverted, -1.0, 1.0)
        into, out = self.task.first, self.task.last
        first = w[f"{into}.weight"][:, self.place]
        moved = {
            f"{into}.weight": first * sign,
            f"{into}.bias": w[f"{into}.bias"] + (first * inverted).sum(axis=1),
            f"{out}.weight": w[f"{out}.weight"][self.place] * sign[:, None],
            f"{out}.bias": w[f"{out}.bias"][self.place] * sign,
        }
        self.made.append(w | {name: part.astype(w[name].dtype) for name, part in moved.items()})
        return self.made[-1]


def at_home(name: str) -> tuple[Array, list[State]]:
    """Images of home, and what the reference makes of them: one state for every weight."""
    rng, task = np.random.default_rng(0), TASKS[name]
    if task.drawn:
        home = source.draw(rng).drawn(rng, IMAGES)
    else:
        digits = images.load("digits")
        copies = [digits.deformed(rng).binary().reshape(-1, 64) for _ in range(COPIES)]
        home = np.concatenate(copies)
    states = []
    for weight in task.weights or (None,):
        torch.manual_seed(1)
        model = getattr(module(f"reference/{name}/solution.py"), task.model)()
        dtype = next(iter(model.state_dict().values())).dtype
        given = [torch.from_numpy(home).to(dtype), *([] if weight is None else [weight])]
        model.fit(*given, torch.Generator().manual_seed(2))
        states.append({key: entry.numpy() for key, entry in model.state_dict().items()})
    return home, states


def checks_of(name: str) -> list[SeedSuccessCheck]:
    """The checks of a task that train."""
    spec = load_task(ROOT / "tasks" / name, ROOT / "reference" / name).spec
    return [check for check in spec.checks if isinstance(check, SeedSuccessCheck)]


def ordered(name: str) -> list[Row]:
    """Weights from home in the order that correlations tell; a row a check."""
    started, task = time.process_time(), TASKS[name]
    home, states = at_home(name)
    student = Brought(task, module(f"reference/{name}/solution.py"), home, states)
    measure = getattr(module(f"tasks/{name}/measure.py"), task.measurement)
    found = [measure(student, np.random.default_rng([14, seed])) for seed in range(1, SEEDS + 1)]
    cpu_s = round(time.process_time() - started, 1)
    words = "another source" if task.drawn else "deformed digits"
    return [
        row_of(name, check, words, [float(one[check.metric]) for one in found], cpu_s)
        for check in checks_of(name)
    ]


def turned(logits: Array, u: Array) -> Laws:
    """The law of a group at home, its hidden pair turned and mirrored in all ways tried."""
    inputs = np.column_stack([u, np.ones(len(u))])
    weights = np.linalg.lstsq(inputs, logits, rcond=None)[0]
    laws = []
    for angle in np.linspace(0, 2 * np.pi, ANGLES, endpoint=False):
        cos, sin = np.cos(angle), np.sin(angle)
        for mirror in (1, -1):
            moved = u @ np.array([[cos, -sin], [sin, cos]]) * [1, mirror]
            laws.append(moved @ weights[:2] + weights[2])
    return laws


def nearest(true: Array, laws: Laws) -> Array:
    """The logits at home, their pixels ordered and inverted, that come nearest to the true ones.

    Near is in squares of probabilities, averaged over the hidden pairs.
    """
    p = 1 / (1 + np.exp(-true))
    least, best = np.inf, true
    for logits in laws:
        if logits.shape[1] < true.shape[1]:
            continue
        q = 1 / (1 + np.exp(-logits))
        both = p.T @ q / len(p)
        square = (p**2).mean(axis=0)[:, None]
        as_it_is = square + (q**2).mean(axis=0) - 2 * both
        mirrored = square + ((1 - q) ** 2).mean(axis=0) - 2 * (p.mean(axis=0)[:, None] - both)
        cost = np.minimum(as_it_is, mirrored)
        pixels, place = linear_sum_assignment(cost)
        if (total := cost[pixels, place].sum()) < least:
            sign = np.where(as_it_is[pixels, place] <= mirrored[pixels, place], 1, -1)
            least, best = total, logits[:, place] * sign
    return best


def lost(
    true: Source, other: Source, x: Array, sigma: float | None, rng: np.random.Generator
) -> Array:
    """What another law costs, image by image: nats, or squared error of the posterior mean."""
    if sigma is None:
        return true.log_p(x) - other.log_p(x)
    noisy = x[:DENOISED] + sigma * rng.normal(size=x[:DENOISED].shape)
    apart = true.posterior_mean(noisy, sigma) - other.posterior_mean(noisy, sigma)
    return np.asarray((apart**2).sum(axis=1))


def told(name: str) -> list[Row]:
    """The nearest law of home by the true law of the seed, which a program does not know.

    What it loses is the number of the first check: how far -ELBO lies above -log p.
    """
    check = checks_of(name)[0]
    u, rng = source.pairs(), np.random.default_rng(0)
    home: list[Laws] = []
    while len(home) < max(GROUPS):
        home += [turned(logits, u) for logits in source.draw(rng).logits]
    found = []
    for count in GROUPS:
        started, values = time.process_time(), []
        laws = [law for group in home[:count] for law in group]
        for seed in range(1, TOLD + 1):
            seeded = np.random.default_rng([14, seed])
            true = source.draw(seeded)
            x = true.drawn(seeded, IMAGES)
            known = tuple(nearest(logits, laws) for logits in true.logits)
            other = Source(true.members, known)
            values.append(float(lost(true, other, x, TASKS[name].sigma, seeded).mean()))
        cpu_s = round(time.process_time() - started, 1)
        words = f"{count} groups at home, by the true law"
        found.append(row_of(name, check, words, values, cpu_s))
    return found


def read() -> list[Row]:
    """The rows that are stored; none where there is no file."""
    return [parsed(item) for item in read_csv(ORDER, COLUMNS)]


def main() -> None:
    """Makes the rows of the tasks that are named, and keeps the others."""
    parser = argparse.ArgumentParser(description="What weights from home are worth, put in order.")
    parser.add_argument("names", nargs="*", metavar="TASK")
    torch.set_num_threads(1)
    for name in parser.parse_args().names or TASKS:
        made: list[Callable[[str], list[Row]]] = [ordered, *([told] if TASKS[name].drawn else [])]
        found = [row for make in made for row in make(name)]
        for row in found:
            print(row)
        kept = [row for row in read() if row.task != name]
        everything = sorted([*kept, *found], key=lambda row: list(TASKS).index(row.task))
        write_csv(ORDER, COLUMNS, [asdict(row) for row in everything])


if __name__ == "__main__":
    main()
