"""What is drawn of vae-beta-tradeoff: models of three weights, on handwritten digits."""

import numpy as np

TRAINING, SIDE, LATENT, SHOWN = 1297, 8, 8, 12
BETAS = (0.25, 1.0, 2.0)


def _brightness(vae, z):
    return 1 / (1 + np.exp(-vae.decode(z.astype(np.float32)).astype(np.float64)))


def show(student, rng):
    parts = student.images().split(rng, TRAINING)
    training, fresh = (part.deformed(rng).binary().reshape(-1, SIDE**2) for part in parts)
    training, digits = training.astype(np.float32), fresh[:SHOWN].astype(np.float32)
    z, rebuilt, generated, errors, spreads = rng.normal(size=(SHOWN, LATENT)), [], [], [], []
    for beta in BETAS:
        vae = student.new("VAE")
        vae.fit(training, beta, student.generator())
        mu, _ = vae.encode(digits)
        rebuilt.append(_brightness(vae, mu))
        generated.append(_brightness(vae, z))
        errors.append(f"{np.abs(rebuilt[-1] - digits).sum(axis=1).mean():.1f}")
        spreads.append(f"{generated[-1].std(axis=0).mean():.2f}")
    names = [f"β = {beta:g}" for beta in BETAS]
    return [
        {
            "title": "Fresh digits, and their reconstructions with three weights of the KL",
            "alt": f"{SHOWN} digits above what the decoders make of the means of their codes; "
            f"these are off by the brightness of {', '.join(errors)} pixels on average.",
            "images": np.reshape([digits, *rebuilt], (len(BETAS) + 1, SHOWN, SIDE, SIDE)),
            "rows": ["digit", *names],
        },
        {
            "title": "Digits generated from the same z ~ N(0, I) with three weights of the KL",
            "alt": f"{SHOWN} images for each weight, {' and '.join(names)}; the brightness of a "
            f"pixel has standard deviations of {', '.join(spreads)} among them.",
            "images": np.reshape(generated, (len(BETAS), SHOWN, SIDE, SIDE)),
            "rows": names,
        },
    ]
