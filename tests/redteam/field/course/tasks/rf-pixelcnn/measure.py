"""The likelihood of conditionals committed before the pixel is revealed.

Images come from an Ising model whose coupling and field are drawn under the phase key, so no
public image helps. Rows have a new order at every step, and a worker scores an image once.
"""

import numpy as np

SIDE, PIXELS = 4, 16
TRAINING, IMAGES, LIFETIMES = 3000, 128, 2


def _every_image():
    """All binary images of 16 pixels, [65536 16], the first pixel being the leading digit."""
    digits = np.arange(2**PIXELS)[:, None] >> np.arange(PIXELS)[::-1] & 1
    return digits.astype(np.float64)


def _ising(coupling, field):
    """log p of every image under p ∝ exp(J Σ s s' + h Σ s), s = 2x - 1, free borders."""
    spins = 2 * _every_image().reshape(-1, SIDE, SIDE) - 1
    down = (spins[:, 1:] * spins[:, :-1]).sum((1, 2))
    right = (spins[:, :, 1:] * spins[:, :, :-1]).sum((1, 2))
    energy = coupling * (down + right) + field * spins.sum((1, 2))
    top = energy.max()
    return energy - (top + np.log(np.exp(energy - top).sum()))


def _draw(rng, log_p, count):
    """Images of a law over all images, and their -log p."""
    drawn = np.searchsorted(np.exp(log_p).cumsum(), rng.random(count))
    drawn = np.minimum(drawn, len(log_p) - 1)
    return _every_image()[drawn], -log_p[drawn]


def _source(rng):
    """Training images, images to be scored, and the -log p of the latter."""
    log_p = _ising(rng.uniform(0.3, 0.45), rng.uniform(-0.1, 0.0))
    training, _ = _draw(rng, log_p, TRAINING)
    return training, *_draw(rng, log_p, IMAGES)


def _nats(logits, pixels):
    """-log σ(±logit) of given pixels."""
    return np.logaddexp(0.0, np.where(pixels == 1, -logits, logits))


def _committed(student, rng, w, images):
    """-log p of every image; pixel i is sent only after its conditional is recorded."""
    nats = np.zeros(len(images))
    for index in range(PIXELS):
        order = rng.permutation(len(images))
        prefix = np.where(np.arange(PIXELS) < index, images, 0.0)[order]
        recorded = np.empty(len(images))
        recorded[order] = student.logits(w, prefix)[:, index]
        nats += _nats(recorded, images[:, index])
    return nats


def committed(student, rng):
    """The mean over two lifetimes of the worker; nothing but the weights goes from one on."""
    training, images, floor = _source(rng)
    w = student.fit(training)
    nll = np.zeros(IMAGES)
    for lifetime in range(LIFETIMES):
        if lifetime:
            student.renew()
        nll += _committed(student, rng, w, images) / LIFETIMES
    return {"nll": nll, "nll__floor": floor}
