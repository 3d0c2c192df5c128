"""What is measured of elbo-identities: every term on random linear Gaussian models, and their sums.

The scale S of a value is the sum of the absolute terms of its formula, from the inputs alone; it
holds the condition number of the covariance where one has to be inverted.
"""

import itertools
from dataclasses import dataclass

import numpy as np

D, K, C = 3, 2, 4
MODELS, ROWS = 5, 6
LOG_TAU = np.log(2 * np.pi)
USUAL = (np.log(0.3), np.log(1.5))  # ln σ of a q that is not far from a posterior


@dataclass(frozen=True)
class Instance:
    """A model, data of its size and a q for every row."""

    x: np.ndarray
    mu: np.ndarray
    log_sigma: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    eta: np.ndarray

    @property
    def q(self):
        return self.mu, self.log_sigma

    @property
    def model(self):
        return self.weight, self.bias, self.eta

    @property
    def condition(self):
        return 1 + (self.weight**2).sum() / self.eta

    def reach(self, z):
        """At least ‖x‖ + ‖W z‖ + ‖b‖."""
        decoded = np.linalg.norm(self.weight) * np.linalg.norm(z, axis=-1)
        return np.linalg.norm(self.x, axis=-1) + decoded + np.linalg.norm(self.bias)

    @property
    def constant(self):
        """The absolute constants of densities of x and of z, with their logarithms."""
        return 0.5 * (D + K) * (LOG_TAU + 1 + abs(np.log(self.eta)) + np.log(self.condition))

    @property
    def scale(self):
        """Of every expected term: [b]."""
        # what is rounded in an exponent comes back times the exponential
        spread = (1 + 2 * np.abs(self.log_sigma)) * np.exp(2 * self.log_sigma)
        decoded = (spread @ (self.weight**2).T).sum(1)
        error = (self.reach(self.mu) ** 2 + decoded) / (2 * self.eta)
        latent = (0.5 * (self.mu**2 + spread) + np.abs(self.log_sigma)).sum(1)
        return error + latent + self.constant


def _instance(rng, widths=USUAL):
    weight, bias = rng.normal(size=(D, K)), rng.normal(size=D)
    eta = np.array(rng.uniform(0.3, 1.0))
    x = rng.normal(size=(ROWS, K)) @ weight.T + bias + np.sqrt(eta) * rng.normal(size=(ROWS, D))
    return Instance(
        x, rng.normal(size=(ROWS, K)), rng.uniform(*widths, (ROWS, K)), weight, bias, eta
    )


def _joined(pairs, name):
    values, scales = zip(*pairs, strict=True)
    return {name: np.stack(values), f"{name}__scale": np.stack(scales)}


def _mixture(rng):
    """log_pi, mu, log_sigma of a mixture of C components in two dimensions."""
    mu, log_sigma = rng.uniform(-2, 2, (C, 2)), rng.uniform(np.log(0.5), np.log(1.5), (C, 2))
    return np.log(rng.dirichlet(np.full(C, 2.0))), mu, log_sigma


def _mixture_scale(x, log_pi, mu, log_sigma):
    distance = (np.abs(x[:, None]) + np.abs(mu)) ** 2 * np.exp(-2 * log_sigma)
    terms = (0.5 * distance + np.abs(log_sigma) + 0.5 * LOG_TAU).sum(2) + np.abs(log_pi)
    return terms.max(axis=1)


def _mixture_values(student, rng, x):
    mixture = _mixture(rng)
    log_p = student.log_marginal_mixture(x, *mixture)
    return {"log_p": log_p, "log_p__scale": _mixture_scale(x, *mixture)}


def mixture(student, rng):
    return _mixture_values(student, rng, rng.normal(0, 2, (40, 2)))


def mixture_far(student, rng):
    """Norms from 50 to 1000, in all directions."""
    direction = rng.normal(size=(40, 2))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return _mixture_values(student, rng, np.geomspace(50, 1000, 40)[:, None] * direction)


def mixture_normalised(student, rng):
    """log of density times cell, on a grid of 121² points."""
    line = np.linspace(-15, 15, 121)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    log_p = student.log_marginal_mixture(grid, *_mixture(rng))
    return {"log_p": log_p + 2 * np.log(line[1] - line[0])}


def marginal(student, rng):
    pairs = []
    for _ in range(MODELS):
        case = _instance(rng)
        pairs.append((student.log_marginal(case.x, *case.model), case.scale * case.condition))
    return _joined(pairs, "log_p")


def terms(student, rng):
    """Both terms of the second form: [models, 2, b]; the last model's q is as narrow as e⁻³⁰."""
    pairs = []
    for widths in [USUAL] * (MODELS - 1) + [(-30, 3)]:
        case = _instance(rng, widths)
        found = [student.reconstruction(case.x, *case.q, *case.model), student.kl_prior(*case.q)]
        pairs.append((np.stack(found), np.stack([case.scale] * 2)))
    return _joined(pairs, "term")


def posterior(student, rng):
    """The last model hardly depends on z, and its q are close to the prior: tiny divergences."""
    pairs = []
    for number in range(MODELS):
        case = _instance(rng)
        if number == MODELS - 1:
            mu, log_sigma = 1e-2 * rng.normal(size=(2, ROWS, K))
            case = Instance(case.x, mu, log_sigma, 1e-2 * case.weight, case.bias, case.eta)
        kl = student.kl_posterior(case.x, *case.q, *case.model)
        pairs.append((kl, case.scale * case.condition))
    return _joined(pairs, "kl")


def joint(student, rng):
    """Both terms of the first form: [models, 2, b]."""
    pairs = []
    for _ in range(MODELS):
        case = _instance(rng)
        energy = student.expected_log_joint(case.x, *case.q, *case.model)
        found = np.stack([energy, student.entropy(case.log_sigma)])
        pairs.append((found, np.stack([case.scale] * 2)))
    return _joined(pairs, "term")


def _log_weight(student, case, eps):
    """log_weight [m b] and its scale, which allows for the rounding of z."""
    found = student.log_weight(case.x, *case.q, *case.model, eps)
    sigma = np.exp(case.log_sigma)
    z = np.abs(case.mu) + sigma * np.abs(eps)
    recovered = np.abs(eps) * z / sigma
    latent = (0.5 * (z**2 + eps**2) + np.abs(case.log_sigma) + recovered).sum(-1)
    return found, case.reach(z) ** 2 / (2 * case.eta) + latent + case.constant


def samples(student, rng):
    pairs = []
    for _ in range(MODELS):
        case = _instance(rng)
        pairs.append(_log_weight(student, case, rng.normal(size=(7, ROWS, K))))
    return _joined(pairs, "log_w")


def _nodes():
    """Nodes [n, 1, k] and weights [n]: exact for the quadratic in ε that is integrated."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(4)
    grid = np.array(list(itertools.product(nodes, repeat=K)))
    law = np.prod(list(itertools.product(weights, repeat=K)), axis=1)
    return grid[:, None], law / law.sum()


def forms(student, rng):
    """First, third and fourth form minus the second: [models, 3, b]."""
    grid, law = _nodes()
    pairs = []
    for _ in range(MODELS):
        case = _instance(rng)
        everything = (case.x, *case.q, *case.model)
        second = student.reconstruction(*everything) - student.kl_prior(*case.q)
        first = student.expected_log_joint(*everything) + student.entropy(case.log_sigma)
        log_w, at_nodes = _log_weight(student, case, np.tile(grid, (1, ROWS, 1)))
        fourth = student.log_marginal(case.x, *case.model) - student.kl_posterior(*everything)
        residual = np.stack([first, law @ log_w, fourth]) - second
        scale = np.stack([case.scale, law @ at_nodes, case.scale * case.condition])
        pairs.append((residual, 2 * scale + case.scale))
    return _joined(pairs, "residual")


def bound(student, rng):
    """A q that is not the posterior pays for it: [models, 2, b]."""
    holds = []
    for _ in range(MODELS):
        case = _instance(rng)
        everything = (case.x, *case.q, *case.model)
        lower = student.reconstruction(*everything) - student.kl_prior(*case.q)
        above = student.log_marginal(case.x, *case.model) > lower
        holds.append([above, student.kl_posterior(*everything) > 0])
    return {"holds": np.array(holds, dtype=bool)}


def gradient(student, rng):
    """By μ and ln σ, of the bound and of the gap: [models, 2, 2, b, k]."""
    pairs = []
    for _ in range(3):
        case = _instance(rng)
        everything = (case.x, *case.q, *case.model)
        cotangent = rng.uniform(0.5, 2.0, ROWS) * rng.choice([-1.0, 1.0], ROWS)
        reconstruction = student.vjp("reconstruction", everything, (1, 2), cotangent)
        divergence = student.vjp("kl_prior", case.q, (0, 1), cotangent)
        gap = student.vjp("kl_posterior", everything, (1, 2), cotangent)
        lower = [rec - kl for rec, kl in zip(reconstruction, divergence, strict=True)]
        found = np.stack([np.stack(lower), np.stack(gap)])
        sigma, size = np.exp(case.log_sigma), np.linalg.norm(case.weight)
        by_mu = size * case.reach(case.mu)[:, None] / case.eta + np.abs(case.mu)
        by_log_sigma = sigma**2 * (size**2 / case.eta + 1) + 1
        scale = np.abs(cotangent)[:, None] * np.stack([by_mu, by_log_sigma])
        pairs.append((found, np.stack([scale, scale * case.condition])))
    return _joined(pairs, "grad")
