"""Figures of the catalogue on undisguised data: ``python docs/evidence/targets.py [NAME…]``.

Each entry computes or trains what a figure of the literature or of the catalogue is about, with the
formulas, masks and layers of the reference solutions and with the catalogue's configuration, and
puts its values into docs/evidence/targets.csv. Entries that train take 4 to 30 processor seconds;
without names everything is made. docs/generative.md has the table.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from harness import images
from harness.files import read_csv, write_csv

ROOT = Path(__file__).resolve().parents[2]
CSV = ROOT / "docs" / "evidence" / "targets.csv"


@dataclass(frozen=True)
class Quantity:
    """One figure of the catalogue.

    Attributes:
        words: what it is.
        said: the figure as the catalogue has it.
        low, high: between these a value counts as the same: half of the last digit where nothing is
            drawn, else the catalogue's own range and what test sets and seeds of this size add.
    """

    words: str
    said: str
    low: float
    high: float


#: What is drawn differs by seed; figures of three seeds spread by less than this, in nats.
SEEDS = 0.15
QUANTITIES = {
    "pca-total": Quantity("digits / 16: total variance", "4.69328", 4.693275, 4.693285),
    "pca-loss": Quantity("digits / 16: loss of PCA at K = 8", "1.5304", 1.53035, 1.53055),
    "gauss-floor": Quantity("2-D Gaussian: entropy", "4.4473", 4.44725, 4.44735),
    "gauss-diagonal": Quantity("2-D VAE (a): -ELBO", "4.459 to 4.474", 4.44, 4.49),
    "gauss-diagonal-excess": Quantity(
        "2-D VAE (a): -ELBO above -log p of the same points", "not below 0", -0.01, 0.03
    ),
    "gauss-diagonal-kl": Quantity("2-D VAE (a): KL", "1.62 to 1.64", 1.57, 1.69),
    "gauss-straight": Quantity("2-D VAE (b): -ELBO", "4.454 to 4.457", 4.44, 4.49),
    "gauss-straight-excess": Quantity(
        "2-D VAE (b): -ELBO above -log p of the same points", "not below 0", -0.01, 0.03
    ),
    "gauss-straight-kl": Quantity("2-D VAE (b): KL", ".004 to .009", 0.0, 0.03),
    "digits-apart": Quantity("digits > ½: independent pixels", "24.735", 24.7345, 24.7355),
    "digits-vae": Quantity("digits VAE: -ELBO", "18.06 to 18.20", 18.06 - SEEDS, 18.20 + SEEDS),
    "digits-vae-kl": Quantity("digits VAE: KL", "6.6", 6.3, 6.9),
    "digits-vae-iw": Quantity("digits VAE: 500 samples", "17.3", 17.3 - SEEDS, 17.3 + SEEDS),
    "digits-pixelcnn-best": Quantity(
        "digits PixelCNN, the epoch that is best on the test images", "18.11, 18.17", 18.06, 18.22
    ),
    "digits-pixelcnn": Quantity("the same, the last epoch", "18.1 to 18.2", 17.96, 18.35),
    "ising-entropy": Quantity("4 × 4 Ising, J = .6, h = .1: entropy", "3.9515", 3.95145, 3.95155),
    "ising-apart": Quantity("4 × 4 Ising: independent pixels", "6.321", 6.3205, 6.3215),
    "ising-pixelcnn": Quantity("4 × 4 Ising: PixelCNN, exact", "3.972, 3.976", 3.9515, 3.99),
    "ising-sum": Quantity("4 × 4 Ising: Σ p of that PixelCNN", "1.000", 0.9995, 1.0005),
    "rgb-entropy": Quantity("RGB bits: entropy of a pixel", "1.2167", 1.21665, 1.21675),
    "rgb-apart": Quantity("RGB bits: independent colours", "1.7913", 1.79125, 1.79135),
    "rgb-stack": Quantity("RGB bits: masks in order, trained", "1.2167", 1.1867, 1.2467),
    "rgb-stack-apart": Quantity("RGB bits: colours masked", "1.7913", 1.7613, 1.8213),
    "blind-1": Quantity("pixels of 112 seen, stacked 3 × 3", "91", 91, 91),
    "blind-2": Quantity("the same, 5 × 5", "103", 103, 103),
    "blind-3": Quantity("the same, 7 × 7", "107", 107, 107),
}


@dataclass(frozen=True)
class Found:
    """What was found of a quantity: a value a seed, and processor seconds of all its entry."""

    quantity: str
    values: str
    entry: str
    cpu_s: float

    @property
    def numbers(self) -> list[float]:
        """The values."""
        return [float(value) for value in self.values.split()]

    @property
    def reproduced(self) -> bool:
        """Whether every value is between the bounds of its quantity."""
        known = QUANTITIES[self.quantity]
        return all(known.low <= value <= known.high for value in self.numbers)


COLUMNS = [column.name for column in fields(Found)]


Values = dict[str, list[float]]


def module(path: str) -> ModuleType:
    """A file of the repository as a module."""
    name = path.removesuffix(".py").replace("/", "_").replace("-", "_")
    spec = importlib.util.spec_from_file_location(name, ROOT / path)
    assert spec is not None and spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def digits() -> tuple[Tensor, Tensor]:
    """The catalogue's split: undeformed digits, brighter than ½; 1,497 and 300 of them."""
    order = torch.randperm(1797, generator=torch.Generator().manual_seed(0))
    x = torch.from_numpy(images.load("digits").binary()).float()[order]
    return x[:1497], x[1497:]


def epochs(
    x: Tensor,
    count: int,
    step: Callable[[Tensor], Tensor],
    model: nn.Module,
    after: Callable[[], None] = lambda: None,
) -> None:
    """Adam at 1e-3 on batches of 64 images of shuffled epochs; `after` each of them."""
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(count):
        for batch in x[torch.randperm(len(x))].split(64):  # type: ignore[no-untyped-call]
            optimiser.zero_grad()
            step(batch).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        after()


def pca() -> Values:
    """The linear autoencoder at its optimum, on grey digits."""
    solution = module("reference/ae-linear-pca/solution.py")
    x = torch.from_numpy(np.array(images.load("digits").pixels, dtype=np.float64)).reshape(1797, 64)
    total = float(solution.spectrum(x).sum())
    return {"pca-total": [total], "pca-loss": [float(solution.loss(x, *solution.fit(x, 8)))]}


def plane(seeds: int = 1) -> Values:
    """A VAE with two hidden ReLU layers of 64 in both networks; 4,000 steps on 10,000 points."""
    found: Values = {"gauss-floor": [math.log(2 * math.pi * math.e) + math.log(5)]}
    for name, turned in (("gauss-diagonal", True), ("gauss-straight", False)):
        seen = [_plane(turned, seed) for seed in range(seeds)]
        for part, values in zip(("", "-excess", "-kl"), zip(*seen, strict=True), strict=True):
            found[name + part] = list(values)
    return found


def _plane(turned: bool, seed: int) -> tuple[float, float, float]:
    """-ELBO, what it is above -log p, and KL, on 20,000 fresh points of one law."""
    solution = module("reference/vae-2d-gaussian/solution.py")
    torch.manual_seed(seed)
    half = math.sqrt(0.5)
    turn = torch.tensor([[half, half], [-half, half]]) if turned else torch.eye(2)
    axes, centre = torch.tensor([5.0, 1.0]), torch.tensor([1.0, 2.0])
    x, fresh = (torch.randn(n, 2) * axes @ turn + centre for n in (10_000, 20_000))
    encoder, decoder = (
        nn.Sequential(
            *(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
        )
        for _ in range(2)
    )

    def terms(points: Tensor) -> tuple[Tensor, Tensor]:
        mu, log_sigma = encoder(points).split(2, dim=1)
        z = solution.sample(mu, log_sigma, torch.randn_like(mu))
        rec, kl = solution.elbo_terms(points, mu, log_sigma, *decoder(z).split(2, dim=1))
        return rec, kl

    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)
    for _ in range(4000):
        rec, kl = terms(x[torch.randint(len(x), (128,))])
        optimiser.zero_grad()
        (rec + kl).mean().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    with torch.no_grad():
        rec, kl = terms(fresh)
    white = (fresh - centre) @ turn.T / axes
    floor = (0.5 * white**2 + axes.log() + 0.5 * math.log(2 * math.pi)).sum(dim=1).mean()
    cost = float((rec + kl).mean())
    return cost, cost - float(floor), float(kl.mean())


def vae(seeds: int = 2) -> Values:
    """Eight latent dimensions, 256 hidden units, 150 epochs."""
    solution = module("reference/vae-digits/solution.py")
    x, fresh = (part.flatten(1) for part in digits())
    bright = x.mean(dim=0).clamp(1e-3, 1 - 1e-3)
    apart = -(fresh * bright.log() + (1 - fresh) * (1 - bright).log()).sum(dim=1).mean()
    found: Values = {"digits-apart": [float(apart)]}
    parts = zip(*(_vae(solution, x, fresh, seed) for seed in range(seeds)), strict=True)
    names = ("digits-vae", "digits-vae-kl", "digits-vae-iw")
    return found | {name: list(part) for name, part in zip(names, parts, strict=True)}


def _vae(solution: ModuleType, x: Tensor, fresh: Tensor, seed: int) -> tuple[float, float, float]:
    """-ELBO (20 samples an image), KL and the importance-weighted bound (500) of one seed."""
    torch.manual_seed(seed)
    model = solution.VAE(64, 256, 8).float()

    def cost(batch: Tensor) -> Tensor:
        rec, kl = model.terms(batch, torch.randn(len(batch), 8))
        mean: Tensor = (rec + kl).mean()
        return mean

    epochs(x, 150, cost, model)
    with torch.no_grad():
        terms = [model.terms(fresh, torch.randn(len(fresh), 8)) for _ in range(20)]
        bound = torch.stack([rec + kl for rec, kl in terms]).mean()
        weighted = -model.log_marginal(fresh, torch.randn(500, len(fresh), 8)).mean()
    return float(bound), float(terms[0][1].mean()), float(weighted)


def stack(middle: int, tail: Callable[[], list[nn.Module]]) -> nn.Sequential:
    """A 7 × 7 layer of type A, 3 × 3 layers of type B, 32 channels, and what follows."""
    masked = module("reference/px-known-entropy/solution.py").MaskedConv2d
    layers = [masked(1, 32, 3, False), nn.ReLU()]
    for _ in range(middle):
        layers += [masked(32, 32, 1, True), nn.ReLU()]
    return nn.Sequential(*layers, *tail())


def nats(model: nn.Module, x: Tensor) -> Tensor:
    """-log p(x) of images of zeros and ones, which the network sees as -1 and 1."""
    x = x.unsqueeze(1)
    return binary_cross_entropy_with_logits(model(2 * x - 1), x, reduction="none").sum((1, 2, 3))


def pixels(seeds: int = 2) -> Values:
    """40 epochs; the lowest cost of all epochs, which the test images choose, and the last one."""
    costs = [_pixels(seed) for seed in range(seeds)]
    return {
        "digits-pixelcnn-best": [min(each) for each in costs],
        "digits-pixelcnn": [each[-1] for each in costs],
    }


def _pixels(seed: int) -> list[float]:
    """What the test images cost after each epoch."""
    x, fresh = digits()
    torch.manual_seed(seed)
    model, costs = stack(3, lambda: [nn.Conv2d(32, 1, 1)]), []

    def test() -> None:
        with torch.no_grad():
            costs.append(float(nats(model, fresh).mean()))

    epochs(x, 40, lambda batch: nats(model, batch).mean(), model, test)
    return costs


def ising(seeds: int = 1) -> Values:
    """2,000 steps on 20,000 images; the likelihood is a sum over all 65,536."""
    measure = module("tasks/px-known-entropy/measure.py")
    log_p = measure._ising([0.6, 0.6], 0.1)
    p, every = np.exp(log_p), measure._every(4).astype(np.float32)
    ones = (p[:, None, None] * every).sum(axis=0)
    found: Values = {
        "ising-entropy": [float(-(p * log_p).sum())],
        "ising-apart": [float(-(ones * np.log(ones) + (1 - ones) * np.log(1 - ones)).sum())],
    }
    for seed in range(seeds):
        torch.manual_seed(seed)
        chosen = np.random.default_rng(seed).choice(len(p), size=20_000, p=p / p.sum())
        x = torch.from_numpy(every[chosen])
        model = stack(3, lambda: [nn.Conv2d(32, 32, 1), nn.ReLU(), nn.Conv2d(32, 1, 1)])
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
        for _ in range(2000):
            loss = nats(model, x[torch.randint(len(x), (128,))]).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        with torch.no_grad():
            rows = torch.from_numpy(every)
            parts = [nats(model, part) for part in rows.split(4096)]  # type: ignore[no-untyped-call]
        cost = torch.cat(parts).double().numpy()
        found.setdefault("ising-pixelcnn", []).append(float((p * cost).sum()))
        found.setdefault("ising-sum", []).append(float(np.exp(-cost).sum()))
    return found


def rgb() -> Values:
    """The source's two sums, and 400 steps of a stack with the masks, and without colours."""
    solution = module("reference/px-rgb-order/solution.py")
    source = module("tasks/px-rgb-order/measure.py")._source
    law = {}
    for red, same, odd in itertools.product((0, 1), (True, False), (True, False)):
        green = red if same else 1 - red
        blue = (red ^ green) if odd else 1 - (red ^ green)
        law[red, green, blue] = 0.5 * (0.9 if same else 0.1) * (0.95 if odd else 0.05)
    ones = [sum(p for bits, p in law.items() if bits[colour]) for colour in range(3)]
    found: Values = {
        "rgb-entropy": [-sum(p * math.log(p) for p in law.values())],
        "rgb-apart": [-sum(q * math.log(q) + (1 - q) * math.log(1 - q) for q in ones)],
    }
    torch.manual_seed(1)
    for name in ("rgb-stack", "rgb-stack-apart"):
        model = solution.RGBStack(8, 0, 1)
        for layer in model.layers:
            nn.init.normal_(layer.weight, std=0.7)
            if name == "rgb-stack-apart":
                layer.mask = layer.mask * 0
        optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
        for step in range(400):
            x, _ = source(np.random.default_rng(step), 0.9, 0.95)
            optimiser.zero_grad()
            (-model.log_prob(torch.from_numpy(x)).mean()).backward()
            optimiser.step()
        costs = []
        with torch.no_grad():
            for seed in range(1000, 1040):
                x, _ = source(np.random.default_rng(seed), 0.9, 0.95)
                costs.append(float(-model.log_prob(torch.from_numpy(x)).mean()) / x[0, 0].size)
        found[name] = [sum(costs) / len(costs)]
    return found


def blind() -> Values:
    """What the middle of 15 × 15 pixels sees through six layers."""
    reach = module("tasks/px-mask/measure.py")._reach
    return {
        f"blind-{radius}": [float(reach((1, radius, radius, 6), 15, 15)[:, 112].sum())]
        for radius in (1, 2, 3)
    }


ENTRIES: dict[str, Callable[[], Values]] = {
    "pca": pca,
    "plane": plane,
    "vae": vae,
    "pixels": pixels,
    "ising": ising,
    "rgb": rgb,
    "blind": blind,
}


def made(name: str) -> list[Found]:
    """All quantities of one entry."""
    torch.set_num_threads(1)
    started = time.process_time()
    values = ENTRIES[name]()
    cpu_s = round(time.process_time() - started, 1)
    return [
        Found(quantity, " ".join(f"{value:.6g}" for value in numbers), name, cpu_s)
        for quantity, numbers in values.items()
    ]


def read() -> list[Found]:
    """The rows that are stored; none where there is no file."""
    return [
        Found(item["quantity"], item["values"], item["entry"], float(item["cpu_s"]))
        for item in read_csv(CSV, COLUMNS)
    ]


def write(found: Iterable[Found]) -> None:
    """The rows, in the order of the quantities."""
    order = list(QUANTITIES)
    ordered = sorted(found, key=lambda row: order.index(row.quantity))
    write_csv(CSV, COLUMNS, [asdict(row) for row in ordered])


def main() -> None:
    """Makes the entries that are named, and keeps the others."""
    parser = argparse.ArgumentParser(description="Figures of the catalogue, made again.")
    parser.add_argument("names", nargs="*", choices=[*ENTRIES, []], metavar="NAME")
    for name in parser.parse_args().names or ENTRIES:
        rows = made(name)
        for row in rows:
            mark = "as said" if row.reproduced else "NOT as said"
            known = QUANTITIES[row.quantity]
            print(f"{known.words}: {row.values} ({known.said}): {mark}; {row.cpu_s} CPU s")
        write([*(row for row in read() if row.entry != name), *rows])


if __name__ == "__main__":
    main()
