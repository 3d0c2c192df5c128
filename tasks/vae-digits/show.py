"""What is drawn of vae-digits: a model trained once on handwritten digits."""

import numpy as np

TRAIN, SIDE, SHOWN, SAMPLES = 1297, 8, 12, 36
STEPS = np.linspace(-2.1, 2.1, 7)


def _images(x, *shape):
    return np.reshape(x, (*shape, SIDE, SIDE))


def _brightness(vae, z):
    return 1 / (1 + np.exp(-vae.decode(z)))


def show(student, rng):
    training, fresh = student.images().split(rng, TRAIN)
    x = training.deformed(rng).binary().reshape(-1, SIDE**2)
    digits = fresh.of(np.arange(SHOWN)).deformed(rng).binary().reshape(-1, SIDE**2)
    vae = student.new("VAE")
    vae.fit(x, student.generator())
    mu, _ = vae.encode(digits)
    rebuilt = _brightness(vae, mu)
    k = mu.shape[1]
    samples = _brightness(vae, rng.normal(size=(SAMPLES, k)))
    between = np.linspace(0.0, 1.0, SHOWN)[:, None]
    other = np.flatnonzero(fresh.labels[:SHOWN] != fresh.labels[0])[0]
    way = _brightness(vae, (1 - between) * mu[0] + between * mu[other])
    # the two dimensions of the code in which digits differ most, the others at 0
    codes, _ = vae.encode(x[:100])
    first, second = np.argsort(-np.var(codes, axis=0))[:2]
    grid = np.zeros((len(STEPS) ** 2, k))
    grid[:, first], grid[:, second] = np.tile(STEPS, len(STEPS)), np.repeat(STEPS[::-1], len(STEPS))
    error = np.abs(rebuilt - digits).sum(axis=1).mean()
    rows = ["digit", "reconstruction"]
    return [
        {
            "title": "Fresh digits and what your decoder makes of the mean of their code",
            "alt": f"{SHOWN} digits above their reconstructions, which are off by the brightness "
            f"of {error:.1f} of 64 pixels on average.",
            "images": _images([digits, rebuilt], 2, SHOWN),
            "rows": rows,
        },
        {
            "title": "Digits that your model generates, from z ~ N(0, I)",
            "alt": f"{SAMPLES} generated images; their pixels have a brightness of "
            f"{samples.mean():.2f} on average, those of the training images {x.mean():.2f}.",
            "images": _images(samples, 3, SAMPLES // 3),
            "rows": ["p(x = 1 | z)"] * 3,
        },
        {
            "title": "A walk through the latent space, from the code of one digit to another's",
            "alt": f"{SHOWN} images on the straight way between two codes; the first and the last "
            f"are reconstructions of a {fresh.labels[0]} and a {fresh.labels[other]}.",
            "images": _images(way, 1, SHOWN),
            "rows": ["p(x = 1 | z)"],
        },
        {
            "title": "The plane of the two latent dimensions in which the codes differ most",
            "alt": f"{len(STEPS)} x {len(STEPS)} images of codes from {STEPS[0]:g} to "
            f"{STEPS[-1]:g} in dimension {first + 1} (to the right) and dimension {second + 1} "
            "(upwards), 0 in the others.",
            "images": _images(_brightness(vae, grid), len(STEPS), len(STEPS)),
            "rows": [f"z{second + 1} = {step:.1f}" for step in STEPS[::-1]],
            "columns": [f"{step:.1f}" for step in STEPS],
        },
    ]
