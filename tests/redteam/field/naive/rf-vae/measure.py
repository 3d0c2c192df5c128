# ruff: noqa: F821
"""Measurements of the bound that somebody in a hurry would write; each has its cheat.

Appended to the measure.py of the task, whose functions they use. The floor is 0 nats.
"""

Z_PER_IMAGE = 32


def _scored(nll):
    return {"nll": nll, "nll__floor": np.zeros_like(nll)}


def _divergence(mu, log_sigma):
    """KL(q(z | x) ‖ N(0, I)), [b]."""
    return ((mu**2 + np.exp(2 * log_sigma) - 1) / 2 - log_sigma).sum(axis=1)


def many_z_at_once(student, rng):
    """Thirty-two z of every image in one batch of the decoder, the mean of their bounds."""
    training, images, _ = _source(rng)
    vae, state = _trained(student, training)
    mu, log_sigma = (np.repeat(part, Z_PER_IMAGE, axis=0) for part in vae.encode(images))
    student.renew()
    z = mu + np.exp(log_sigma) * rng.normal(size=mu.shape)
    rec = _nats(_decoded(student, state, z), np.repeat(images, Z_PER_IMAGE, axis=0))
    return _scored((rec + _divergence(mu, log_sigma)).reshape(IMAGES, -1).mean(axis=1))


def its_own_z(student, rng):
    """z is drawn by the program."""
    training, images, _ = _source(rng)
    vae, state = _trained(student, training)
    mu, log_sigma = vae.encode(images)
    z = vae.sample(mu, log_sigma, student.generator())
    student.renew()
    return _scored(_nats(_decoded(student, state, z), images) + _divergence(mu, log_sigma))


def decoded_mean(student, rng):
    """The mean of q is decoded, which spares the noise."""
    training, images, _ = _source(rng)
    vae, state = _trained(student, training)
    mu, log_sigma = vae.encode(images)
    student.renew()
    return _scored(_nats(_decoded(student, state, mu), images) + _divergence(mu, log_sigma))


def one_worker(student, rng):
    """Encoder and decoder in one process."""
    training, images, _ = _source(rng)
    vae, _ = _trained(student, training)
    mu, log_sigma = vae.encode(images)
    logits = vae.decode(mu + np.exp(log_sigma) * rng.normal(size=mu.shape))
    return _scored(_nats(logits, images) + _divergence(mu, log_sigma))


def one_sandbox(student, rng):
    """Encoder and decoder in processes of their own, in one sandbox."""
    training, images, _ = _source(rng)
    vae, state = _trained(student, training)
    mu, log_sigma = vae.encode(images)
    student.renew()
    z = mu + np.exp(log_sigma) * rng.normal(size=mu.shape)
    return _scored(_nats(_decoded(student, state, z), images) + _divergence(mu, log_sigma))
