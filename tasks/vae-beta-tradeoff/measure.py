"""What is measured of vae-beta-tradeoff: the formulas, the networks, and training at three weights.

No submitted program sees the images that count: it is trained, its state is taken by name, and
the networks are computed here. The images come from a source that is drawn for the seed and whose
log p(x) is known, so that no weights can be made at home, and -ELBO is held against log p(x).
"""

import numpy as np

USUAL = (9, 12, 5)  # rows, pixels, latent dimensions: unequal
PIXELS, HIDDEN, LATENT = 64, 128, 8
SHAPES = {
    "encoder.0.weight": (HIDDEN, PIXELS),
    "encoder.0.bias": (HIDDEN,),
    "encoder.2.weight": (2 * LATENT, HIDDEN),
    "encoder.2.bias": (2 * LATENT,),
    "decoder.0.weight": (HIDDEN, LATENT),
    "decoder.0.bias": (HIDDEN,),
    "decoder.2.weight": (PIXELS, HIDDEN),
    "decoder.2.bias": (PIXELS,),
}
TRAINING, FRESH, DRAWS = 4000, 1000, 8  # images; z an image
#: The weights, and how far above -log p honest models bring the objectives of both ends, about.
BETAS, ENDS = (0.25, 1.0, 2.0), (-5.3, 6.0)


def _sizes(student):
    """(b, d, k) of all calls; the first two are alike."""
    (b, b_most), (d, d_most), (k, k_most) = (student.domain.sizes(axis) for axis in "bdk")
    edges = [(b, d, k), (b, d_most, k_most), (b_most, d, k_most), (b_most, d_most, k), (2, 2, 2)]
    return [USUAL, USUAL, *edges]


def _batches(student, rng):
    """(x, logits, μ, ln σ) of all sizes: ordinary numbers, and some from all of the domain.

    In row 1 q is close to the prior. The last row and the third are drawn from the domain.
    """
    batches = []
    for b, d, k in _sizes(student):
        x = rng.integers(0, 2, (b, d)).astype(float)
        logits, mu = rng.normal(0, 3, (b, d)), rng.normal(0, 2, (b, k))
        log_sigma = rng.uniform(-3, 1, (b, k))
        if b > 2:
            mu[1], log_sigma[1] = 1e-3 * rng.normal(size=(2, k))
        for name, array in (("logits", logits), ("mu", mu), ("log_sigma", log_sigma)):
            for row in {2, b - 1} - {0 if b > 1 else -1}:
                if row < b:
                    array[row] = student.domain.draw(rng, name, *array[:1].shape)[0]
        batches.append((x, logits, mu, log_sigma))
    x, logits, mu, log_sigma = batches[0]
    middle = rng.uniform(15, 40, logits.shape) * rng.choice([-1.0, 1.0], logits.shape)
    other = 1 - x, middle, 0.9 * mu[::-1], 0.9 * log_sigma[::-1]
    return batches + student.domain.replaced(batches[0], other, alike="axes")


def _special(rng, logit):
    """(x, logits, μ, ln σ) with equal rows, equal numbers, zeros; one row of logits is given."""
    b, d, k = USUAL
    x = rng.integers(0, 2, (b, d)).astype(float)
    logits, mu = rng.normal(0, 3, (b, d)), rng.normal(0, 2, (b, k))
    log_sigma = rng.uniform(-3, 1, (b, k))
    for array in (x, logits, mu, log_sigma):
        array[1] = array[0]
    x[6], x[7] = 0, 1
    logits[2], logits[3] = logit, logits[3, 0]
    mu[2], mu[3], mu[4] = 0, mu[3, 0], 0
    log_sigma[3], log_sigma[4], log_sigma[5] = 0, 0, log_sigma[5, 0]
    mu[6] = log_sigma[6]
    return x, logits, mu, log_sigma


def _calls(student, rng):
    """(x, logits, μ, ln σ, β): rows that none vanishes beside, rows of the whole domain, every β.

    The first four differ in β alone, each of the next two in one array more from the last of them.
    """
    batches = _batches(student, rng)
    betas = student.domain.draw(rng, "beta", len(batches)).tolist()
    first, second = ([batch[:2] for batch in batches[index]] for index in (0, 1))
    calls = [(*first, beta) for beta in (0.0, 0.25, 1.0, 2.0)]
    alike = student.domain.replaced(first, second, alike="axes")
    calls += [(*arrays, 2.0) for arrays in alike[1:]]
    for batch, beta in zip(batches, betas, strict=True):
        x, logits, mu, log_sigma = batch
        ordinary = logits / (1 + np.abs(logits) / 9), mu / (1 + np.abs(mu)), log_sigma / 5
        calls += [(x, *ordinary, rng.uniform(0.1, 4.0)), (*batch, beta)]
    return [*calls, (*_special(rng, 1.0), 0.5)]


def _joined(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def _spread(log_sigma):
    """σ², and what rounding of its exponent adds."""
    return np.exp(2 * log_sigma) * (1 + 2 * np.abs(log_sigma))


def _term_scales(x, logits, mu, log_sigma):
    """The sums [2, b] of the absolute summands of both terms."""
    rec = (np.abs(logits) * (1 + x) + 1).sum(axis=1)
    kl = ((mu**2 + _spread(log_sigma) + 1) / 2 + np.abs(log_sigma)).sum(axis=1)
    return np.stack([rec, kl])


def terms(student, rng):
    """Both terms, a row each."""
    found, scales = [], []
    for batch in (*_batches(student, rng), _special(rng, 0.0)):
        found.append(np.stack(student.terms(*batch)))
        scales.append(_term_scales(*batch))
    return {"terms": _joined(found), "terms__scale": _joined(scales)}


def loss(student, rng):
    found, scales = [], []
    for *batch, beta in (*_calls(student, rng), (*_special(rng, 0.0), 1.0)):
        found.append(student.beta_loss(*batch, beta))
        rec, kl = _term_scales(*batch)
        scales.append((rec + beta * kl).mean())
    return {"loss": _joined(found), "loss__scale": _joined(scales)}


def loss_gradient(student, rng):
    """By the logits, μ and ln σ."""
    found, scales = [], []
    for x, logits, mu, log_sigma, beta in _calls(student, rng):
        weight = rng.uniform(1.0, 2.0)
        args = x, logits, mu, log_sigma, beta
        found += student.vjp("beta_loss", args, (1, 2, 3), np.asarray(weight))
        parts = 1 + x, beta * np.abs(mu), beta * (_spread(log_sigma) + 1)
        scales += [part * weight / len(x) for part in parts]
    return {"gradient": _joined(found), "gradient__scale": _joined(scales)}


def _weights(student, vae):
    """The state of a model, which has to have the statement's entries and no others."""
    state = vae.state()
    wrong = sorted(set(SHAPES) ^ set(state))
    if wrong:
        kind = "lacks" if wrong[0] in SHAPES else "has an entry too many:"
        student.refuse(f"the state of VAE {kind} {wrong[0]}; it is to hold {', '.join(SHAPES)}")
    for name, shape in SHAPES.items():
        array = state[name]
        if array.shape != shape or array.dtype != np.float32:
            found = f"{array.dtype} {list(array.shape)}"
            student.refuse(f"{name} in the state of VAE is {found}, not float32 {list(shape)}")
        if not np.isfinite(array).all():
            student.refuse(f"{name} in the state of VAE holds numbers that are not finite")
    return state


def layers(weights, name, x):
    """The decoder or the encoder of the statement, in float64."""
    weights = {key: array.astype(np.float64) for key, array in weights.items()}
    inside = np.maximum(x @ weights[f"{name}.0.weight"].T + weights[f"{name}.0.bias"], 0.0)
    return inside @ weights[f"{name}.2.weight"].T + weights[f"{name}.2.bias"]


def _numbers(rng, spread, bias):
    """A state with weights and biases of these sizes."""
    return {
        name: rng.normal(0, bias if "bias" in name else spread, shape).astype(np.float32)
        for name, shape in SHAPES.items()
    }


def _asked(student, rng):
    """(state, x, z) of every call; at the end a single entry of the state is new each time.

    What is kept until another entry changes shows there: the images and codes stay the same.
    """

    def points(rows):
        x = rng.integers(0, 2, (rows, PIXELS)).astype(np.float32)
        z = student.domain.draw(rng, "z", rows, LATENT).astype(np.float32)
        if rows > 1:  # what nothing but biases makes of nothing
            x[0], z[0] = 0, 0
        if rows > 4:
            x[2], z[2], z[3] = x[1], z[1], z[3, 0]
        return x, z

    for spread, bias in ((0.1, 0.1), (1.0, 1.0), (0.1, 0.0), (30.0, 30.0)):
        state = _numbers(rng, spread, bias)
        for rows in (USUAL[0], *student.domain.sizes("b"), USUAL[0], 1, 1, LATENT, 2):
            yield state, *points(rows)
    state, other, (x, z) = _numbers(rng, 0.1, 0.1), _numbers(rng, 0.1, 0.1), points(USUAL[0])
    yield state, x, z
    for name in SHAPES:
        state = state | {name: other[name]}
        yield state, x, z


def networks(student, rng):
    """What the networks answer with numbers of the grader's in the state.

    Other numbers are in another model, of which this one may not know.
    """
    vae, other = student.new("VAE"), student.new("VAE")
    loaded, found, scales = None, [], []
    _weights(student, vae)
    for state, x, z in _asked(student, rng):
        if state is not loaded:
            vae.load(state)
            other.load(_numbers(rng, 0.2, 0.2))
            loaded, absolute = state, {name: np.abs(array) for name, array in state.items()}
        found += [np.concatenate(vae.encode(x), axis=1), vae.decode(z)]
        scales += [layers(absolute, "encoder", x), layers(absolute, "decoder", np.abs(z))]
    return {"answers": _joined(found), "answers__scale": _joined(scales)}


def example(student, rng):
    del rng
    return {"agrees": student.example()}


def drawn(student, rng):
    """Training and fresh images [n, 64], and -log p of the fresh ones, from a source drawn here."""
    source = student.source(rng)
    training, fresh = (source.drawn(rng, count) for count in (TRAINING, FRESH))
    return training, fresh, -source.log_p(fresh)


def _nats(x, logits):
    """-log p(x) of Bernoulli pixels, summed over the last axis."""
    return (np.logaddexp(0.0, logits) - x * logits).sum(axis=-1)


def independent(training, fresh):
    """-log p of every fresh image where pixels are independent, as in the training images."""
    share = (training.sum(axis=0) + 0.5) / (len(training) + 1)
    return _nats(fresh, np.log(share / (1 - share)))


def mean_terms(weights, x, eps):
    """Mean reconstruction and mean KL of fresh images; eps is [draws, images, latent]."""
    with np.errstate(over="ignore", invalid="ignore"):
        mu, log_sigma = np.split(layers(weights, "encoder", x), 2, axis=1)
        z = mu + np.exp(log_sigma) * eps
        rec = _nats(x, layers(weights, "decoder", z)).mean()
        kl = (mu**2 + np.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(axis=1).mean() / 2
    return rec, kl


def tradeoff(student, rng):
    """One seed: three models of the same images; reconstruction and KL of fresh ones, in nats."""
    training, fresh, surprise = drawn(student, rng)
    states = []
    for beta in BETAS:
        vae = student.new("VAE")
        vae.fit(training.astype(np.float32), beta, student.generator())
        states.append(_weights(student, vae))
    eps = rng.normal(size=(DRAWS, len(fresh), LATENT))
    rec, kl = np.transpose([mean_terms(weights, fresh, eps) for weights in states])
    if not np.isfinite([rec, kl]).all():
        student.refuse("with the weights that fit left, -ELBO of the fresh images is not finite")
    objectives = rec + np.multiply(BETAS, kl)
    small, excess, large = objectives - surprise.mean()
    # what falls and rises counts of models that beat independent pixels, each at its own weight
    counted = float(objectives.max() < independent(training, fresh).mean())
    return {
        "excess": excess,
        "behind": max((small - ENDS[0]) / BETAS[0], (large - ENDS[1]) / BETAS[2]),
        "kl_fall": counted * -np.diff(kl).max(),
        "rec_rise": counted * np.diff(rec).min(),
    }
