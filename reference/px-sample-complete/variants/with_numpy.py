"""numpy between the passes; probabilities by hand, an image's chain as a running sum of logs."""

import numpy as np
import torch


def _probability(logits):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-logits))


def _fill(model, x, observed, u):
    x = np.where(observed, x, 0.0)
    for place in np.ndindex(*x.shape[2:]):
        index = (slice(None), 0, *place)
        if observed[index].all():
            continue
        p = _probability(model(torch.from_numpy(x)).numpy()[index])
        missing = ~observed[index]
        x[index][missing] = (u[index] < p)[missing]
    return torch.from_numpy(x)


def sample(model, u):
    return _fill(model, np.zeros(u.shape), np.zeros(u.shape, dtype=bool), u.numpy())


def complete(model, x, observed, u):
    return _fill(model, x.numpy(), observed.numpy(), u.numpy())


def draw(model, x, observed, generator):
    missing = ~observed
    u = torch.ones_like(x)
    u[missing] = torch.rand(int(missing.sum()), generator=generator, dtype=torch.float64)
    return complete(model, x, observed, u)


def log_conditional(model, x, observed):
    def log_p(images):
        logits = model(images)
        losses = torch.logaddexp(torch.zeros_like(logits), (1 - 2 * images) * logits)
        return -losses.flatten(1).sum(1)

    pixels = x[0].numel()
    every = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * pixels)
    every = every.reshape(-1, 1, *x.shape[2:])
    log_all, log_x = log_p(every), log_p(x)
    results = torch.empty(len(x), dtype=torch.float64)
    for n in range(len(x)):
        known = observed[n]
        same = (every[:, known] == x[n][known]).all(dim=1)
        results[n] = log_x[n] - torch.logsumexp(log_all[same], dim=0)
    return results


def sample_vae(decoder, z, u):
    return torch.from_numpy((u.numpy() < _probability(decoder(z).numpy())).astype(np.float64))
