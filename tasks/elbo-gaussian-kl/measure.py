"""What is measured of elbo-gaussian-kl: values and gradients on random Gaussians, and identities.

The scale S of a value is the sum of the absolute terms of its formula, from the inputs alone.
"""

import numpy as np

ROWS, DIMS = 200, 5
EXTREME = 30.0  # e^±60 is far inside float64; what goes by lower precision or clamps is not


def _gaussians(rng, rows=ROWS, dims=DIMS):
    """mu, log_sigma [rows, dims]: ln σ uniform in [-6, 3], means of a latent's spread."""
    return rng.normal(0.0, 2.0, (rows, dims)), rng.uniform(-6.0, 3.0, (rows, dims))


def _with_extremes(mu, log_sigma):
    """The same, with ln σ = -30 in the first row and 30 in the second."""
    log_sigma[0], log_sigma[1] = -EXTREME, EXTREME
    return mu, log_sigma


def _scale_std(mu, log_sigma):
    """With the conditioning of exp, as below."""
    sigma2 = (1 + 2 * np.abs(log_sigma)) * np.exp(2 * log_sigma)
    return (0.5 * (mu**2 + sigma2 + 1) + np.abs(log_sigma)).sum(1)


def _scale_pair(mu1, ls1, mu2, ls2):
    """What is rounded in an exponent comes back times the exponential: exp(a (1 + eps)).

    So a quadratic term is uncertain by 2 |ls1| + 2 |ls2| more roundings, however it is written.
    """
    quadratic = (np.exp(2 * ls1) + mu1**2 + mu2**2 + 2 * np.abs(mu1 * mu2)) * np.exp(-2 * ls2)
    conditioned = (1 + 2 * np.abs(ls1) + 2 * np.abs(ls2)) * quadratic
    return (0.5 * conditioned + 0.5 + np.abs(ls1) + np.abs(ls2)).sum(1)


def entropy(student, rng):
    _, log_sigma = _with_extremes(*_gaussians(rng))
    scale = (np.abs(log_sigma) + 0.5 * (1 + np.log(2 * np.pi))).sum(1)
    return {"entropy": student.gaussian_entropy(log_sigma), "entropy__scale": scale}


def standard(student, rng):
    mu, log_sigma = _with_extremes(*_gaussians(rng))
    return {"kl": student.kl_std_normal(mu, log_sigma), "kl__scale": _scale_std(mu, log_sigma)}


def near_prior(student, rng):
    """Close to N(0, I) the divergence is a small difference of large terms."""
    mu, log_sigma = rng.normal(0.0, 1e-3, (2, ROWS, DIMS))
    return {"kl": student.kl_std_normal(mu, log_sigma), "kl__scale": _scale_std(mu, log_sigma)}


def pair(student, rng):
    (mu1, ls1), (mu2, ls2) = _with_extremes(*_gaussians(rng)), _gaussians(rng)
    ls2 = np.clip(ls2, -2.0, None)
    return {
        "kl": student.kl_diag(mu1, ls1, mu2, ls2),
        "kl__scale": _scale_pair(mu1, ls1, mu2, ls2),
    }


def gradient(student, rng):
    """Vector-Jacobian products of kl_std_normal; exact gradients are (μ, σ² - 1) per row."""
    mu, log_sigma = _gaussians(rng, rows=20)
    cotangent = rng.normal(size=20)
    by_mu, by_log_sigma = student.vjp("kl_std_normal", (mu, log_sigma), (0, 1), cotangent)
    weight = np.abs(cotangent)[:, None]
    sigma2 = (1 + 2 * np.abs(log_sigma)) * np.exp(2 * log_sigma)
    scale = [weight * np.abs(mu), weight * (sigma2 + 1)]
    return {"grad": np.stack([by_mu, by_log_sigma]), "grad__scale": np.stack(scale)}


def identities(student, rng):
    """Additive over dimensions, even in μ, and kl_diag against N(0, I) is kl_std_normal."""
    mu, log_sigma = _gaussians(rng, rows=50)
    scale = _scale_std(mu, log_sigma)
    whole = student.kl_std_normal(mu, log_sigma)
    parts = student.kl_std_normal(mu.reshape(-1, 1), log_sigma.reshape(-1, 1))
    mirrored = student.kl_std_normal(-mu, log_sigma)
    zeros = np.zeros_like(mu)
    against = student.kl_diag(mu, log_sigma, zeros, zeros)
    residual = [parts.reshape(mu.shape).sum(1) - whole, mirrored - whole, against - whole]
    return {"residual": np.stack(residual), "residual__scale": np.stack([2 * scale] * 3)}
