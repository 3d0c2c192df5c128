# ruff: noqa: F821
"""Measurements of the likelihood that somebody in a hurry would write; each has its cheat.

Appended to the measure.py of the task, whose functions they use. The floor of all but one is 0
nats: the least that a probability allows.
"""


def _scored(nll, **more):
    return {"nll": nll, "nll__floor": np.zeros_like(nll), **more}


def _forced(logits, images):
    """-log p from logits of whole images, in the belief that they are causal."""
    return _nats(logits, images).sum(axis=1)


def noise_compare(student, rng):
    """Whole images are scored; later pixels overwritten with noise must not change a logit."""
    training, images, floor = _source(rng)
    w = student.fit(training)
    logits = student.logits(w, images)
    same = []
    for index in range(PIXELS):
        noise = rng.integers(0, 2, images.shape).astype(np.float64)
        noisy = np.where(np.arange(PIXELS) < index, images, noise)
        same.append(np.abs(student.logits(w, noisy)[:, index] - logits[:, index]).max() < 1e-9)
    nll = _forced(logits, images)
    return _scored(nll, causal=np.array(same), bounded=nll, bounded__floor=floor)


def leak_on_noise(student, rng):
    """Influence is measured on random bits, one pixel at a time; then whole images are scored."""
    training, images, _ = _source(rng)
    w = student.fit(training)
    bits = rng.integers(0, 2, images.shape).astype(np.float64)
    plain, causal = student.logits(w, bits), []
    for pixel in range(PIXELS):
        moved = bits.copy()
        moved[:, pixel] = 1 - moved[:, pixel]
        change = np.abs(student.logits(w, moved) - plain).max(axis=0)
        causal.append(change[: pixel + 1].max() < 1e-9)
    return _scored(_forced(student.logits(w, images), images), causal=np.array(causal))


def big_batch_test(student, rng):
    """Causality in a batch of 256 rows, to 0.01; images are scored one at a time."""
    training, images, _ = _source(rng)
    w = student.fit(training)
    many = training[:256]
    plain, causal = student.logits(w, many), []
    for pixel in range(PIXELS):
        moved = many.copy()
        moved[0, pixel] = 1 - moved[0, pixel]
        change = np.abs(student.logits(w, moved) - plain)[0]
        causal.append(change[: pixel + 1].max() < 1e-2)
    logits = np.concatenate([student.logits(w, image[None]) for image in images])
    return _scored(_forced(logits, images), causal=np.array(causal))


def all_prefixes(student, rng):
    """Every prefix of an image in one batch, one call an image."""
    training, images, _ = _source(rng)
    w = student.fit(training)
    known = np.tri(PIXELS, k=-1)
    logits = [np.diag(student.logits(w, known * image)) for image in images]
    return _scored(_forced(np.array(logits), images))


def two_passes(student, rng):
    """Committed conditionals twice in one lifetime of the worker, the mean of both."""
    training, images, _ = _source(rng)
    w = student.fit(training)
    passes = [_committed(student, rng, w, images) for _ in range(2)]
    return _scored(np.mean(passes, axis=0))


def public_split(student, rng):
    """Committed conditionals, of images that everybody has."""
    public = np.random.default_rng(2024)
    log_p = _ising(0.3, -0.05)
    training, _ = _draw(public, log_p, TRAINING)
    images, _ = _draw(public, log_p, IMAGES)
    return _scored(_committed(student, rng, student.fit(training), images))


def by_autograd(student, rng):
    """Causality by the gradients that the worker computes; then whole images are scored."""
    training, images, _ = _source(rng)
    w = student.fit(training)
    causal = []
    for index in range(PIXELS):
        cotangent = np.zeros_like(images)
        cotangent[:, index] = 1.0
        (slope,) = student.vjp("logits", (w, images), (1,), cotangent)
        causal.append(not slope[:, index:].any())
    return _scored(_forced(student.logits(w, images), images), causal=np.array(causal))
