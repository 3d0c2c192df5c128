"""What is measured of vae-digits: the model with numbers of ours in it, and training, seed by seed.

What counts is computed here, from the arrays that `fit` leaves behind: no submitted code sees the
images on which the bound is measured. They come from a source that is drawn for the seed and whose
log p(x) is known, so that no weights can be made at home, and the bound is held against log p(x).
"""

import numpy as np

TRAIN, FRESH, PIXELS, HIDDEN, LATENT = 4000, 1000, 64, 128, 8
DRAWS = 10  # z of each image, for the expectation in the bound


def _shapes(d, h, k):
    """name of an entry of the state -> its shape"""
    outputs = {"hidden": (h, d), "mu": (k, h), "log_sigma": (k, h)}
    outputs |= {"expand": (h, k), "logits": (d, h)}
    return {
        f"{layer}.{part}": shape if part == "weight" else shape[:1]
        for layer, shape in outputs.items()
        for part in ("weight", "bias")
    }


def _through(state, layer, inputs):
    return inputs @ state[f"{layer}.weight"].T + state[f"{layer}.bias"]


def _encode(state, x):
    hidden = np.maximum(_through(state, "hidden", x), 0.0)
    return _through(state, "mu", hidden), _through(state, "log_sigma", hidden)


def _decode(state, z):
    return _through(state, "logits", np.maximum(_through(state, "expand", z), 0.0))


def _reconstruction(x, logits):
    """-log p(x | z) with every pixel Bernoulli, summed over the last axis."""
    return (np.logaddexp(0.0, logits) - x * logits).sum(axis=-1)


def _kl(mu, log_sigma):
    return 0.5 * (np.exp(2 * log_sigma) + mu**2 - 1 - 2 * log_sigma).sum(axis=1)


def _sizes(student, rng):
    """(b, d, h, k): the model that is trained, both ends of every size, and sizes in between.

    One is the same along every axis, where a transposed weight fits, too.
    """
    least, most = zip(*map(student.domain.sizes, "bdhk"), strict=True)
    sizes = [(37, PIXELS, HIDDEN, LATENT), least]
    for axis in range(4):
        between = [student.domain.size(rng, name) for name in "bdhk"]
        for end in (least, most):
            sizes.append((*between[:axis], end[axis], *between[axis + 1 :]))
    return [*sizes, (4, 4, 4, 4)]


def _state(rng, sizes, x, spread, reach, hidden=1.0):
    """Arrays for a state, after which |ln σ| of these images is at most `spread`.

    The largest logit at z ~ N(0, 1) is about `reach`. Hidden units are `hidden` times as large as
    they would be, to no effect.
    """
    shapes = _shapes(*sizes)
    state = {
        name: rng.normal(size=shape) / np.sqrt(shape[-1] if len(shape) > 1 else 1.0)
        for name, shape in shapes.items()
    }
    for layer, answers, wanted in (
        ("log_sigma", _encode(state, x)[1], spread),
        ("logits", _decode(state, rng.normal(size=(50, sizes[2]))), reach),
    ):
        for part in ("weight", "bias"):
            state[f"{layer}.{part}"] *= wanted / (np.abs(answers).max() + 1e-3)
    for layer in ("hidden", "expand"):
        for part in ("weight", "bias"):
            state[f"{layer}.{part}"] *= hidden
    for layer in ("mu", "log_sigma", "logits"):
        state[f"{layer}.weight"] /= hidden
    return state


def _models(student, rng):
    """(a model with a state of ours, that state, b, d, k), for all sizes.

    One of them is filled twice, so that what was kept of its first state shows; the images are
    the same then, so that what was kept by them does, too. The last one is filled with one new
    entry after another, so that what was kept until some other entry changes shows as well; then
    it is asked again, after another one of its sizes was made and filled.
    """
    # of ln σ, of the logits and of the hidden units
    ranges = [(0.3, 24.0, 1.0), (4.0, 4000.0, 1.0), (1.0, 2.0, 1e4)]
    for index, (b, d, h, k) in enumerate(_sizes(student, rng)):
        vae = student.new("VAE", d, h, k)
        x = student.domain.draw(rng, "x", b, d)
        for _ in range(2 if index == 0 else 1):
            state = _state(rng, (d, h, k), x, *ranges[index % 3])
            vae.load(state)
            yield vae, state, x, k
    b, d, h, k = 5, 9, 6, 3
    vae, x = student.new("VAE", d, h, k), student.domain.draw(rng, "x", b, d)
    one, other = (_state(rng, (d, h, k), x, *ranges[0]) for _ in range(2))
    for names in ((), *((name,) for name in other)):
        one = one | {name: other[name] for name in names}
        vae.load(one)
        yield vae, one, x, k
    twin, apart = student.new("VAE", d, h, k), _state(rng, (d, h, k), x, *ranges[0])
    twin.load(apart)
    yield vae, one, x, k
    yield twin, apart, x, k


def _unmoved(student, rng):
    """The same of a model whose q is the prior and whose logits no code moves; some of them are 0.

    So all samples weigh the same.
    """
    b, d, h, k = 5, 9, 6, 3
    vae, x = student.new("VAE", d, h, k), student.domain.draw(rng, "x", b, d)
    state = _state(rng, (d, h, k), x, 0.3, 3.0)
    for name in ("mu.weight", "mu.bias", "log_sigma.weight", "log_sigma.bias", "logits.weight"):
        state[name] = 0 * state[name]
    state["logits.bias"][::2] = 0.0
    vae.load(state)
    return vae, state, x, k


def _more_models(student, rng):
    yield from _models(student, rng)
    yield _unmoved(student, rng)


def _between(array, other):
    """The array with the other one's numbers between the first and last along its first axis."""
    return np.concatenate([array[:1], other[1:-1], array[-1:]])


def _size_of(state, layer, inputs):
    """The sums of the absolute terms of one layer, from those of what goes in."""
    return inputs @ np.abs(state[f"{layer}.weight"]).T + np.abs(state[f"{layer}.bias"])


def _encode_scales(state, x):
    hidden = _size_of(state, "hidden", np.abs(x))
    return _size_of(state, "mu", hidden), _size_of(state, "log_sigma", hidden)


def _decode_scale(state, size_of_z):
    return _size_of(state, "logits", _size_of(state, "expand", size_of_z))


def _z_and_scale(state, x, eps):
    (mu, log_sigma), (mu_size, log_size) = _encode(state, x), _encode_scales(state, x)
    noise = np.exp(log_sigma) * eps
    return mu + noise, mu_size + np.abs(noise) * (1 + log_size)


def _joined(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def _noise(rng, *shape):
    """Standard normal numbers, one of which lies further out than they usually do."""
    eps = rng.normal(size=shape)
    eps[tuple(map(rng.integers, shape))] = rng.choice([-1.0, 1.0]) * rng.uniform(5, 6)
    return eps


def encoder(student, rng):
    found, scales = [], []
    for vae, state, x, _ in _models(student, rng):
        for images in (x, x[:1], x[::-1]):
            found += vae.encode(images)
            scales += _encode_scales(state, images)
    return {"q": _joined(found), "q__scale": _joined(scales)}


def decoder(student, rng):
    found, scales = [], []
    for vae, state, x, k in _models(student, rng):
        z = student.domain.draw(rng, "z", len(x), k)
        if len(z) > 3:
            z[0], z[1], z[2] = 0, z[1, 0], z[3]
        for points in (z, z[-1:]):
            found.append(vae.decode(points))
            scales.append(_decode_scale(state, np.abs(points)))
    return {"logits": _joined(found), "logits__scale": _joined(scales)}


def terms(student, rng):
    """Both terms of -ELBO, image by image; of the first model also with other noise, of fewer.

    Some of the other noise, and then some of the images, is what it was; at last noise is negative.
    """
    found, scales = [], []
    for index, (vae, state, x, k) in enumerate(_more_models(student, rng)):
        one = _noise(rng, len(x), k)
        calls = [(x, one)]
        if index < 2:
            other, fewer = _between(one, _noise(rng, len(x), k)), x[::2]
            calls += [(x, other), (_between(x, 1 - x), other)]
            calls += [(fewer, _noise(rng, len(fewer), k)), (x, -np.abs(one))]
        for images, eps in calls:
            found.append(np.stack(vae.terms(images, eps)))
            (mu, log_sigma), (mu_size, log_size) = (
                compute(state, images) for compute in (_encode, _encode_scales)
            )
            rec = (_decode_scale(state, _z_and_scale(state, images, eps)[1]) + 1).sum(axis=1)
            kl = np.exp(2 * log_sigma) * (1 + 2 * log_size) + mu**2 + 2 * np.abs(mu) * mu_size + 1
            scales.append(np.stack([rec, (kl / 2 + log_size).sum(axis=1)]))
    return {"terms": _joined(found), "terms__scale": _joined(scales)}


def marginal(student, rng):
    """log_marginal, image by image, with all numbers of samples; of the first also of fewer images.

    With one sample every logit counts, with many the largest weight is seldom the first one's. In
    some calls samples repeat, all but the first and last are others, or noise is negative or 0.
    """
    least, most = student.domain.sizes("s")
    samples = [least, most, 2, 3, 5]
    found, scales = [], []
    for index, (vae, state, x, k) in enumerate(_more_models(student, rng)):
        s_drawn = student.domain.size(rng, "s")
        as_many = len(x) if len(x) == 4 else least  # samples as images
        sizes = sorted({least, most, samples[index % len(samples)], s_drawn, as_many})
        calls = [(_noise(rng, s, len(x), k), x) for s in sizes]
        if index < 2:
            once, other = _noise(rng, 4, len(x), k), _noise(rng, 4, len(x), k)
            calls += [(once, x), (_between(once, other), x), (once[[0, 0, 0, 1, 2, 2]], x)]
            calls.append((_noise(rng, 2, len(x[::2]), k), x[::2]))
            calls += [(-np.abs(once), x), (0 * once, x)]
        for eps, images in calls:
            s = len(eps)
            found.append(vae.log_marginal(images, eps))
            z, size_of_z = _z_and_scale(state, images, eps)
            weights = (_decode_scale(state, size_of_z) + 1).sum(axis=2)
            # ε may be had as (z - μ) / σ, which cancels
            log_sigma, log_size = _encode(state, images)[1], _encode_scales(state, images)[1]
            noise = eps**2 / 2 + np.abs(eps) * size_of_z * np.exp(-log_sigma)
            ratio = noise + np.abs(z) * size_of_z + log_size
            scales.append((weights + ratio.sum(axis=2)).max(axis=0) + np.log(s))
    return {"log_p": _joined(found), "log_p__scale": _joined(scales)}


def example(student, rng):
    del rng
    return {"agrees": student.example()}


def _trained(student, vae):
    """The arrays of a model after `fit`, held against the architecture."""
    state, wanted = vae.state(), _shapes(PIXELS, HIDDEN, LATENT)
    if state.keys() != wanted.keys():
        other = sorted(state.keys() ^ wanted.keys())[0]
        verb = "lacks" if other in wanted else "has an entry too many,"
        student.refuse(f"the state_dict after fit {verb} {other[:80]!r}; ten are asked for")
    for name, shape in wanted.items():
        array = state[name]
        if array.dtype != np.float64 or array.shape != shape:
            student.refuse(f"{name} is {array.dtype} {array.shape} after fit, not float64 {shape}")
        if not np.isfinite(array).all():
            student.refuse(f"{name} is not finite after fit: training diverged")
    return state


def _bound(rng, state, x):
    """-ELBO of every image, in nats; z is drawn here."""
    mu, log_sigma = _encode(state, x)
    z = mu + np.exp(log_sigma) * rng.normal(size=(DRAWS, *mu.shape))
    return _reconstruction(x, _decode(state, z)).mean(axis=0) + _kl(mu, log_sigma)


def learn(student, rng):
    """One seed: how far -ELBO of fresh images lies above their -log p, in nats an image."""
    source = student.source(rng)
    x, fresh = (source.drawn(rng, count) for count in (TRAIN, FRESH))
    vae = student.new("VAE")
    vae.fit(x, student.generator())
    bound, surprise = _bound(rng, _trained(student, vae), fresh), -source.log_p(fresh)
    return {"excess": (bound - surprise).mean(), "nelbo": bound.mean(), "nll": surprise.mean()}
