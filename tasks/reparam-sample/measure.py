"""What is measured of reparam-sample: samples and gradients from given noise, then own draws.

The scale S of a value is the sum of the absolute terms of its formula, from the inputs alone.
"""

import numpy as np

M, B, K = 4, 25, 6
REPLICATES = 4  # calls that differ in their generator only


def _inputs(rng, m=M, b=B, k=K):
    """mu, log_sigma [b, k] and standard normal eps [m, b, k]."""
    return rng.normal(0.0, 2.0, (b, k)), rng.uniform(-3.0, 2.0, (b, k)), rng.normal(size=(m, b, k))


def given_noise(student, rng):
    mu, log_sigma, eps = _inputs(rng)
    scale = np.abs(mu) + np.exp(log_sigma) * np.abs(eps)
    return {"z": student.rsample(mu, log_sigma, eps), "z__scale": scale}


def given_noise_gradient(student, rng):
    mu, log_sigma, eps = _inputs(rng, b=10)
    cotangent = rng.normal(size=eps.shape)
    grad = student.vjp("rsample", (mu, log_sigma, eps), (0, 1), cotangent)
    size = np.abs(cotangent)
    scale = [size.sum(0), (size * np.abs(eps)).sum(0) * np.exp(log_sigma)]
    return {"grad": np.stack(grad), "grad__scale": np.stack(scale)}


def backward(student, rng):
    _, log_sigma, eps = _inputs(rng, b=10)
    zbar = rng.normal(size=eps.shape)
    bars = student.backward_rule(zbar, eps, log_sigma)
    by_sigma = np.abs(zbar * eps).sum(0)
    scale = [np.abs(zbar).sum(0), by_sigma, by_sigma * np.exp(log_sigma)]
    return {"bars": np.stack(bars), "bars__scale": np.stack(scale)}


def _sigmas(student, raw):
    """Both maps and their slopes at raw: [4, b, k]."""
    ones = np.ones_like(raw)
    values = [student.sigma_exp(raw), student.sigma_softplus(raw)]
    slopes = [student.vjp(name, (raw,), (0,), ones)[0] for name in ("sigma_exp", "sigma_softplus")]
    return np.stack(values + slopes)


def sigma_values(student, rng):
    """Where no formula under- or overflows; the logarithm of 1 + e^raw is off by eps·1."""
    raw = rng.uniform(-4.0, 4.0, (20, 3))
    width = 1 + np.abs(raw)
    scale = [np.exp(raw) * width, width, np.exp(raw) * width, width * np.exp(np.minimum(raw, 0))]
    return {"sigma": _sigmas(student, raw), "sigma__scale": np.stack(scale)}


def sigma_range(student, rng):
    """Far out values and slopes are taken in units of their size, so that zero is wrong.

    Nothing lies between 20 and 37, where library softplus may cut to the identity (2e-9).
    """
    relative, scale = [], []
    for side in (-1.0, 1.0):
        raw = side * rng.uniform(37.0, 50.0, (10, 3))
        raw[0] = side * 50.0
        softplus, slope = np.maximum(raw, 0) + np.exp(-np.abs(raw)), np.exp(np.minimum(raw, 0))
        size = np.stack([np.exp(raw), softplus, np.exp(raw), slope])
        relative.append(_sigmas(student, raw) / size)
        scale.append(np.broadcast_to(1 + np.abs(raw), size.shape))
    return {"sigma": np.stack(relative), "sigma__scale": np.stack(scale)}


def _few(rng, b=3, k=2):
    """mu, log_sigma [b, k] with every σ well away from 1."""
    sign = rng.choice([-1.0, 1.0], (b, k))
    return rng.normal(0.0, 2.0, (b, k)), sign * rng.uniform(0.5, 1.5, (b, k))


def own_noise(student, rng, n):
    """The noise behind n draws of every coordinate, recovered from them: [n, 6].

    The rows of all calls follow each other, so that lags run over draws and over calls.
    """
    mu, log_sigma = _few(rng)
    calls = student.independent("sample", mu, log_sigma, n // REPLICATES, replicates=REPLICATES)
    noise = ((np.concatenate(calls) - mu) / np.exp(log_sigma)).reshape(n, -1)
    return {
        "noise": noise,
        "noise__expected": np.zeros(noise.shape[1]),
        "noise__scale": np.ones(noise.shape[1]),
        "excess": noise**2 - 1,
        "excess__expected": np.zeros(noise.shape[1]),
        "excess__scale": np.full(noise.shape[1], np.sqrt(2)),
    }


def own_noise_gradient(student, rng):
    """The gradient by μ is the same for every noise: the cotangent, summed over the samples."""
    mu, log_sigma = _few(rng)
    m = 5
    cotangent = rng.normal(size=(m, *mu.shape))
    args = (mu, log_sigma, m, student.generator())
    (grad,) = student.vjp("sample", args, (0,), cotangent)
    return {"grad": grad, "grad__scale": np.abs(cotangent).sum(0)}
