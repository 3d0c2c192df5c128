"""What is measured of elbo-point-mass: divergences down to widths of e⁻³⁰, and both manifolds.

The scale S of a value is the sum of the absolute terms of its formula, from what was drawn.
"""

import numpy as np

D, K = 5, 2
MODELS = 6


def _decoder(rng):
    """weight, bias, and unit vectors [d, d - k] orthogonal to the range of weight.

    Singular values between 0.7 and 1.5: least squares are well conditioned.
    """
    frame, _ = np.linalg.qr(rng.normal(size=(D, D)))
    turn, _ = np.linalg.qr(rng.normal(size=(K, K)))
    weight = frame[:, :K] * rng.uniform(0.7, 1.5, K) @ turn
    return np.ascontiguousarray(weight), rng.normal(size=D), frame[:, K:]


def _size(vector):
    return np.linalg.norm(vector, axis=-1)


def _scale_kl(mu, log_sigmas):
    # what is rounded in an exponent comes back times the exponential
    widths = (0.5 + np.abs(log_sigmas)) * np.exp(2 * log_sigmas) + np.abs(log_sigmas)
    return 0.5 * (mu**2 + 1).sum() + len(mu) * widths


def narrow(student, rng):
    """Widths from e⁻³⁰ to e³⁰, for one to five latent dimensions: [5, n]."""
    log_sigmas = np.sort(rng.uniform(-30, 30, 40))
    means = [rng.normal(0, 1.5, k) for k in range(1, 6)]
    found = [student.kl_as_sigma_to_zero(mu, log_sigmas) for mu in means]
    scale = [_scale_kl(mu, log_sigmas) for mu in means]
    return {"kl": np.stack(found), "kl__scale": np.stack(scale)}


def slope(student, rng):
    """Where σ² is below the rounding of 1, the divergence is linear in ln σ."""
    log_sigmas = np.sort(rng.uniform(-30, -20, 10))[::-1].copy()
    residual, scale = [], []
    for k in (1, 2, 5):
        mu = rng.normal(0, 1.5, k)
        kl = student.kl_as_sigma_to_zero(mu, log_sigmas)
        residual.append(np.diff(kl) + k * np.diff(log_sigmas))
        scale.append(2 * _scale_kl(mu, log_sigmas)[1:])
    return {"residual": np.stack(residual), "residual__scale": np.stack(scale)}


def point(student, rng):
    """The scale holds the largest condition number of the weights."""
    found, scale = [], []
    for _ in range(MODELS):
        weight, bias, _ = _decoder(rng)
        x = rng.normal(0, 2, D)
        found.append(student.best_point(x, weight, bias))
        scale.append((_size(x) + _size(bias)) / 0.7 * (1.5 / 0.7))
    return {"point": np.stack(found), "point__scale": np.array(scale)[:, None]}


def recon(student, rng):
    """A residual's rounding counts twice in its square."""
    log_sigmas = np.linspace(-12, 3, 16)
    found, scale = [], []
    for _ in range(MODELS):
        weight, bias, _ = _decoder(rng)
        x, mu = rng.normal(0, 2, D), rng.normal(size=K)
        eta = np.exp(rng.uniform(-5, 2))
        found.append(student.recon_term(x, weight, bias, np.array(eta), mu, log_sigmas))
        squared = (_size(x) + _size(bias) + 1.5 * _size(mu)) ** 2
        spread = np.exp(2 * log_sigmas) * (weight**2).sum()
        constant = 0.5 * D * (np.log(2 * np.pi) + abs(np.log(eta)))
        scale.append((2 * squared + spread) / (2 * eta) + constant)
    return {"recon": np.stack(found), "recon__scale": np.stack(scale)}


def rising(student, rng):
    """From wide to narrow at z*, and narrow at z* against narrow at points around it."""
    log_sigmas = np.linspace(1, -7, 9)
    holds = []
    for _ in range(MODELS):
        weight, bias, _ = _decoder(rng)
        x, eta = rng.normal(0, 2, D), np.array(rng.uniform(0.1, 1.0))
        best = student.best_point(x, weight, bias)
        if not np.isfinite(best).all():
            student.refuse("best_point returned a value that is not finite")
        term = student.recon_term(x, weight, bias, eta, best, log_sigmas)
        holds.extend(np.diff(term) > 0)
        for step in 0.1 * rng.normal(size=(4, K)):
            beside = student.recon_term(x, weight, bias, eta, best + step, log_sigmas[-1:])
            holds.append(beside[0] < term[-1])
    return {"holds": np.array(holds, dtype=bool)}


def _marginal(student, rng, distance):
    """The scale is that of an inverted covariance, whose entries are of size 1/η."""
    etas = np.logspace(0, -6, 13)
    found, scale = [], []
    for _ in range(MODELS):
        weight, bias, normals = _decoder(rng)
        z = rng.normal(size=K)
        away = distance * rng.uniform(0.5, 1.5, D - K) * rng.choice([-1.0, 1.0], D - K)
        x = weight @ z + bias + normals @ away
        found.append(student.loglik_vs_eta(x, weight, bias, etas))
        constant = 0.5 * D * (np.log(2 * np.pi) + np.abs(np.log(etas)) + 1)
        quadratic = 0.5 * (_size(x) + _size(bias)) ** 2 / etas
        condition = 1 + 1.5**2 / etas
        scale.append((constant + quadratic) * condition)
    return {"log_p": np.stack(found), "log_p__scale": np.stack(scale)}


def off_manifold(student, rng):
    return _marginal(student, rng, 0.5)


def on_manifold(student, rng):
    return _marginal(student, rng, 0.0)
