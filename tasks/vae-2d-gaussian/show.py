"""What is drawn of vae-2d-gaussian: points, what the model makes of them, and their codes."""

import numpy as np

TRAINING, SHOWN = 4000, 400
LONG, SHORT = 5.0, 1.0


def show(student, rng):
    axes = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2) * [LONG, SHORT]
    x = np.array([1.0, -1.0]) + rng.normal(size=(TRAINING, 2)) @ axes.T
    vae = student.new("VAE")
    vae.fit(x, student.generator())
    mu, log_sigma = vae.encode(x[:SHOWN])
    rebuilt, _ = vae.decode(mu)
    mean, log_sd = vae.decode(rng.normal(size=(SHOWN, 2)))
    drawn = mean + np.exp(log_sd) * rng.normal(size=mean.shape)
    codes = mu + np.exp(log_sigma) * rng.normal(size=mu.shape)
    error = np.sqrt(((rebuilt - x[:SHOWN]) ** 2).sum(axis=1).mean())
    plane = {"across": ("x1", -17, 19), "up": ("x2", -19, 17)}
    return [
        {
            "title": "Points, and those that your model generates",
            "alt": f"{SHOWN} points of a long cloud along a diagonal and {SHOWN} generated ones. "
            f"Standard deviations along it and across: {_spread(x)} and {_spread(drawn)}.",
            "points": {"data": x[:SHOWN], "generated": drawn},
            **plane,
        },
        {
            "title": "Points, and what your decoder makes of the mean of their code",
            "alt": f"{SHOWN} points and their reconstructions, which are {error:.2g} away.",
            "points": {"data": x[:SHOWN], "reconstruction": rebuilt},
            **plane,
        },
        {
            "title": "Codes of the points beside those of the prior",
            "alt": f"{SHOWN} draws of N(0, I) and, for {SHOWN} points, one draw each of q(z | x): "
            "together these should look alike.",
            "points": {"prior": rng.normal(size=mu.shape), "q(z | x)": codes},
            "across": ("z1", -4, 4),
            "up": ("z2", -4, 4),
        },
    ]


def _spread(x):
    along, across = (x[:, 0] + x[:, 1]) / np.sqrt(2), (x[:, 0] - x[:, 1]) / np.sqrt(2)
    return f"{along.std():.2g}, {across.std():.2g}"
