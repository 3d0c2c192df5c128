"""The order of disguised pixels found again: ``python docs/evidence/order.py``.

vae-digits, vae-beta-tradeoff and ae-denoising put the pixels of a seed into an order of their own
and invert about half of them, so that weights from home are of no use as they are. A program may
find both again from the training images: correlations between pixels, without their signs, are
matched with those of digits that were deformed at home (assignments, then exchanges of pairs), and
signs follow from means and correlations. Weights of vae-digits, trained at home, are then handed
in; nothing is trained on the images of the seed. docs/evidence/order.csv has what comes of it.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from cheats import CSV, Home
from scipy.optimize import linear_sum_assignment
from targets import module

from harness import images
from harness.files import write_csv

SEEDS, COPIES = 3, 3
COLUMNS = ("seed", "gain", "nelbo", "places_of_64", "cpu_s")
#: Pixels that are as far from ½ on average show by that whether they are inverted.
SURE = 0.3
Array = np.ndarray[Any, Any]


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

    def __init__(self, home: Array, state: dict[str, Array]) -> None:
        super().__init__(module("reference/vae-digits/solution.py"), kept=[state])
        self.home, self.weights = home, state

    def fit(self, *args: Any) -> Any:
        place, inverted = matched(self.home, args[0])
        self.place, self.inverted = place, inverted
        sign, w = np.where(inverted, -1.0, 1.0), self.weights
        first = w["hidden.weight"][:, place]
        self.made.append(
            w
            | {
                "hidden.weight": first * sign,
                "hidden.bias": w["hidden.bias"] + (first * inverted).sum(axis=1),
                "logits.weight": w["logits.weight"][place] * sign[:, None],
                "logits.bias": w["logits.bias"][place] * sign,
            }
        )
        return self.made[-1]


def main() -> None:
    """Trains once at home, and tries a few seeds; about twenty processor seconds."""
    torch.set_num_threads(1)
    rng, digits = np.random.default_rng(0), images.load("digits")
    copies = [digits.deformed(rng).binary().reshape(-1, 64) for _ in range(COPIES)]
    home = np.concatenate(copies).astype(float)
    torch.manual_seed(1)
    model = module("reference/vae-digits/solution.py").VAE()
    model.fit(torch.from_numpy(home), torch.Generator().manual_seed(2))
    state = {name: entry.numpy() for name, entry in model.state_dict().items()}
    learn = module("tasks/vae-digits/measure.py").learn
    lines = []
    for seed in range(1, SEEDS + 1):
        student, started = Brought(home, state), time.process_time()
        found = learn(student, np.random.default_rng([14, seed]))
        again = np.random.default_rng([14, seed])  # what the measurement draws first
        digits.split(again, 1297)
        places = int((student.place == again.permutation(64)).sum())
        spent = f"{time.process_time() - started:.2f}"
        figures = (seed, f"{found['gain']:.2f}", f"{found['nelbo']:.2f}", places, spent)
        lines.append(dict(zip(COLUMNS, figures, strict=True)))
        print(*figures)
    write_csv(CSV.with_name("order.csv"), COLUMNS, lines)


if __name__ == "__main__":
    main()
