"""What is measured of vae-2d-gaussian: the formulas on random numbers, and training, seed by seed.

The law of the points is drawn anew for every seed. An encoder has seen the points that are
coded, so its sandbox is gone before a decoder's begins; what goes from one to the other is the
state, taken before the first of those points was sent, and z, one a point, drawn here.
"""

import numpy as np

ROWS, LATENT, DATA = 50, 3, 4  # of the formulas; unequal, so that no axis passes for another
TRAINING, POINTS = 4000, 4000
LONG, SHORT, CENTRE = 5.0, 1.0, 2.0
# Σ log p/p_true over fresh points exceeds g nats with probability at most exp(-g), whatever p is
IMPOSSIBLE_NATS = 20.0


def _numbers(rng):
    """x, μ, ln σ, and mean and ln σ of p(x | z)."""
    x, x_mean = rng.normal(0.0, 2.0, (2, ROWS, DATA))
    mu = rng.normal(0.0, 2.0, (ROWS, LATENT))
    log_sigma, x_log_sigma = (rng.uniform(-2.0, 1.0, (ROWS, width)) for width in (LATENT, DATA))
    return x, mu, log_sigma, x_mean, x_log_sigma


def sample(student, rng):
    _, mu, log_sigma, *_ = _numbers(rng)
    eps = rng.normal(size=mu.shape)
    z = student.sample(mu, log_sigma, eps)
    return {"z": z, "z__scale": np.abs(mu) + np.exp(log_sigma) * np.abs(eps)}


def sample_gradient(student, rng):
    """By μ and by ln σ: (z̄, z̄ σ ε)."""
    _, mu, log_sigma, *_ = _numbers(rng)
    eps, cotangent = rng.normal(size=(2, *mu.shape))
    found = student.vjp("sample", (mu, log_sigma, eps), (0, 1), cotangent)
    scale = np.abs(cotangent) * np.stack([np.ones_like(mu), np.exp(log_sigma) * np.abs(eps)])
    return {"gradient": np.stack(found), "gradient__scale": scale}


def terms(student, rng):
    """Both terms of -ELBO, a row each; S is the sum of their absolute summands."""
    x, mu, log_sigma, x_mean, x_log_sigma = args = _numbers(rng)
    squared = (np.abs(x) + np.abs(x_mean)) ** 2 * np.exp(-2 * x_log_sigma)
    rec = (squared / 2 + np.abs(x_log_sigma) + np.log(2 * np.pi) / 2).sum(axis=1)
    kl = ((mu**2 + np.exp(2 * log_sigma) + 1) / 2 + np.abs(log_sigma)).sum(axis=1)
    return {"terms": np.stack(student.elbo_terms(*args)), "terms__scale": np.stack([rec, kl])}


def loss_gradient(student, rng):
    """By μ, ln σ, and by mean and ln σ of p(x | z), side by side: [b, 2k + 2d]."""
    x, mu, log_sigma, x_mean, x_log_sigma = args = _numbers(rng)
    cotangent = rng.uniform(1.0, 2.0)
    found = student.vjp("loss", args, (1, 2, 3, 4), np.asarray(cotangent))
    size, precision = np.abs(x) + np.abs(x_mean), np.exp(-2 * x_log_sigma)
    scale = [np.abs(mu), np.exp(2 * log_sigma) + 1, size * precision, size**2 * precision + 1]
    factor = cotangent / ROWS
    return {
        "gradient": np.concatenate(found, axis=1),
        "gradient__scale": factor * np.concatenate(scale, axis=1),
    }


def _laws(rng):
    """Centre [2] and axes [2, 2] of both laws: x = centre + axes @ u with u standard normal."""
    sign, first = rng.choice([-1.0, 1.0]), rng.integers(2)
    diagonal = np.array([[1.0, -sign], [sign, 1.0]]) / np.sqrt(2) * [LONG, SHORT]
    straight = np.diag([LONG, SHORT] if first == 0 else [SHORT, LONG])
    return [(rng.uniform(-CENTRE, CENTRE, 2), axes) for axes in (diagonal, straight)]


def _points(rng, law, n):
    """Points [n, 2] of a law, and their -log p in nats."""
    centre, axes = law
    u = rng.normal(size=(n, 2))
    return centre + u @ axes.T, (u**2).sum(axis=1) / 2 + np.log(2 * np.pi * LONG * SHORT)


def _code(student, rng, vae, x):
    """(μ, ln σ) of q(z | x), asked for in an order of its own."""
    order, found = rng.permutation(len(x)), np.empty((2, *x.shape))
    found[:, order] = vae.encode(x[order])
    return found


def _nats(student, rng, state, coded, x):
    """-log p(x | z) - log p(z) + log q(z | x) of every point, z drawn here.

    Its mean over z is -ELBO. The decoder knows its state and the z, in another order.
    """
    (mu, log_sigma), eps = coded, rng.normal(size=x.shape)
    z = mu + np.exp(log_sigma) * eps
    order, found = rng.permutation(len(x)), np.empty((2, *x.shape))
    vae = student.new("VAE")
    vae.load(state)
    found[:, order] = vae.decode(z[order])
    mean, log_sd = found
    rec = ((x - mean) / np.exp(log_sd)) ** 2 / 2 + log_sd + np.log(2 * np.pi) / 2
    return (rec + z**2 / 2 - eps**2 / 2 - log_sigma).sum(axis=1)


def _kl(coded):
    mu, log_sigma = coded
    return (mu**2 + np.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(axis=1).mean() / 2


def learn(student, rng):
    """One seed: -ELBO above -log p_true, in nats a point, for either law; and both KLs."""
    laws = _laws(rng)
    vaes = [student.new("VAE") for _ in laws]
    for vae, law in zip(vaes, laws, strict=True):
        vae.fit(_points(rng, law, TRAINING)[0], student.generator())
    states = [vae.state() for vae in vaes]
    fresh = [_points(rng, law, POINTS) for law in laws]
    coded = [_code(student, rng, vae, x) for vae, (x, _) in zip(vaes, fresh, strict=True)]
    student.renew(sandbox=True)
    excess = []
    for state, code, (x, floor) in zip(states, coded, fresh, strict=True):
        above = _nats(student, rng, state, code, x) - floor
        if above.sum() < -IMPOSSIBLE_NATS:
            student.refuse(
                f"{POINTS} points were coded in {-above.sum():.0f} nats less than their own law "
                "needs: that is no lower bound of a likelihood"
            )
        excess.append(above.mean())
    return {
        "excess": np.max(excess),
        "excess_diagonal": excess[0],
        "excess_straight": excess[1],
        "kl_diagonal": _kl(coded[0]),
        "kl_straight": _kl(coded[1]),
    }
