"""The evidence lower bound, each z being the grader's and one of its image's in a lifetime.

The encoder has seen the images, so its sandbox is gone before the decoder's begins; what goes
from one to the other is the state, taken before the first image was sent, and z. Images come
from an Ising model drawn under the phase key.
"""

import numpy as np

SIDE, PIXELS, LATENT = 4, 16, 4
TRAINING, IMAGES, LIFETIMES = 2000, 96, 3


def _every_image():
    """All binary images of 16 pixels, [65536 16], the first pixel being the leading digit."""
    digits = np.arange(2**PIXELS)[:, None] >> np.arange(PIXELS)[::-1] & 1
    return digits.astype(np.float64)


def _source(rng):
    """Training images, images to be scored, -log p of the latter: p ∝ exp(J Σ s s' + h Σ s)."""
    coupling, field = rng.uniform(0.35, 0.5), rng.uniform(-0.05, 0.05)
    images = _every_image()
    spins = 2 * images.reshape(-1, SIDE, SIDE) - 1
    down = (spins[:, 1:] * spins[:, :-1]).sum((1, 2))
    right = (spins[:, :, 1:] * spins[:, :, :-1]).sum((1, 2))
    energy = coupling * (down + right) + field * spins.sum((1, 2))
    log_p = energy - (energy.max() + np.log(np.exp(energy - energy.max()).sum()))
    drawn = np.searchsorted(np.exp(log_p).cumsum(), rng.random(TRAINING + IMAGES))
    drawn = np.minimum(drawn, len(log_p) - 1)
    return images[drawn[:TRAINING]], images[drawn[TRAINING:]], -log_p[drawn[TRAINING:]]


def _nats(logits, images):
    """-log p(x | z), [b]."""
    return np.logaddexp(0.0, np.where(images == 1, -logits, logits)).sum(axis=1)


def _shaped(student, array, width):
    if array.shape[1] != width:
        student.refuse(f"{width} columns are wanted, {array.shape[1]} came back")
    return array


def _trained(student, training):
    """A trained model, and its state before it has seen an image that counts."""
    vae = student.new("VAE", PIXELS, LATENT)
    vae.fit(training, student.generator())
    return vae, vae.state()


def _encoded(student, rng, vae, images):
    """The two figures of q(z | x), asked for in an order of its own."""
    order, mu, log_sigma = rng.permutation(len(images)), *np.empty((2, len(images), LATENT))
    found = vae.encode(images[order])
    mu[order], log_sigma[order] = (_shaped(student, array, LATENT) for array in found)
    return mu, log_sigma


def _decoded(student, state, z):
    """The logits of a decoder that knows nothing but its state and z."""
    vae = student.new("VAE", PIXELS, LATENT)
    vae.load(state)
    return _shaped(student, vae.decode(z), PIXELS)


def bound(student, rng):
    """The mean over lifetimes of the decoder of -log p(x | z) - log p(z) + log q(z | x)."""
    training, images, floor = _source(rng)
    vae, state = _trained(student, training)
    mu, log_sigma = _encoded(student, rng, vae, images)
    nll = np.zeros(IMAGES)
    for lifetime in range(LIFETIMES):
        student.renew(sandbox=lifetime == 0)
        noise, order = rng.normal(size=mu.shape), rng.permutation(IMAGES)
        z = mu + np.exp(log_sigma) * noise
        logits = np.empty((IMAGES, PIXELS))
        logits[order] = _decoded(student, state, z[order])
        code = (z**2 / 2 - noise**2 / 2 - log_sigma).sum(axis=1)
        nll += (_nats(logits, images) + code) / LIFETIMES
    return {"nll": nll, "nll__floor": floor}
