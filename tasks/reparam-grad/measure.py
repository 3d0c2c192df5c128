"""What is measured of reparam-grad: estimators at Gauss–Hermite nodes, and averages over samples.

The batch holds every row once a node, so that one call gives the estimate at all nodes; weighted
moments over them are those over the normal noise, exactly where the estimate is polynomial in it.
"""

import itertools

import numpy as np

B, K, D = 6, 2, 3
AVERAGED = 16


def _nodes(per_dimension, dimensions=K):
    """Nodes [n, dimensions] and weights [n] of the standard normal law."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(per_dimension)
    grid = np.array(list(itertools.product(nodes, repeat=dimensions)))
    law = np.prod(list(itertools.product(weights, repeat=dimensions)), axis=1)
    return grid, law / law.sum()


def _gaussians(rng, b=B):
    """mu, log_sigma [b, k]: σ between 0.3 and 1.5."""
    return rng.normal(size=(b, K)), rng.uniform(np.log(0.3), np.log(1.5), (b, K))


def _decoder(rng, b=B):
    """x [b, d], weight [d, k], bias [d], eta: a linear Gaussian model and data of that size."""
    weight, bias = rng.normal(size=(D, K)), rng.normal(size=D)
    eta = rng.uniform(0.3, 1.0)
    x = rng.normal(size=(b, K)) @ weight.T + bias + np.sqrt(eta) * rng.normal(size=(b, D))
    return x, weight, bias, np.array(eta)


def _repeated(nodes, *rows):
    """Noise [m, nodes * b, k] for nodes [n, m, k], and every array [b, …] once a node."""
    count, b = len(nodes), len(rows[0])
    eps = np.repeat(nodes, b, axis=0).swapaxes(0, 1)
    return np.ascontiguousarray(eps), [np.tile(row, (count, 1)) for row in rows]


def _by_node(grads, count):
    """Both gradients [nodes * b, k] as [nodes, 2, b, k]."""
    return np.stack([grad.reshape(count, -1, K) for grad in grads], axis=1)


def _one_sample(student, function, rng, per_dimension):
    nodes, law = _nodes(per_dimension)
    eps, (mu, log_sigma) = _repeated(nodes[:, None], *_gaussians(rng))
    grads = student.grad_pathwise(student.given(function), mu, log_sigma, eps)
    return {"grad": _by_node(grads, len(law)), "grad__weight": law}


def square(student, rng):
    return _one_sample(student, "square", rng, 5)


def sine(student, rng):
    return _one_sample(student, "sine", rng, 16)


def elbo(student, rng):
    nodes, law = _nodes(5)
    x, *decoder = _decoder(rng)
    eps, (mu, log_sigma, x) = _repeated(nodes[:, None], *_gaussians(rng), x)
    log_joint = student.given("log_joint", x, *decoder)
    grads = student.grad_elbo(log_joint, mu, log_sigma, eps)
    return {"grad": _by_node(grads, len(law)), "grad__weight": law}


def two_samples(student, rng):
    """z² with one and with two samples, over the joint law of two samples: [nodes, 2, 2, b, k]."""
    nodes, law = _nodes(3, dimensions=2 * K)
    eps, (mu, log_sigma) = _repeated(nodes.reshape(-1, 2, K), *_gaussians(rng))
    f = student.given("square")
    grads = [student.grad_pathwise(f, mu, log_sigma, noise) for noise in (eps[:1], eps)]
    found = np.stack([_by_node(pair, len(law)) for pair in grads], axis=1)
    return {"grad": found, "grad__weight": law}


def average(student, rng):
    """sin z at given noise; the scale allows for the rounding of z."""
    mu, log_sigma = _gaussians(rng)
    eps = rng.normal(size=(AVERAGED, B, K))
    grads = student.grad_pathwise(student.given("sine"), mu, log_sigma, eps)
    spread = np.exp(log_sigma) * np.abs(eps)
    size = 1 + np.abs(mu) + spread
    scale = np.stack([size.mean(0), (size * spread).mean(0)])
    return {"grad": np.stack(grads), "grad__scale": scale}


def _theta(student, decoder, mu, log_sigma, eps):
    """Both gradients by θ in one array: [d, k + 1]."""
    x, weight, bias, eta = decoder
    log_lik = student.given("log_lik", x, eta)
    by_weight, by_bias = student.grad_theta(log_lik, weight, bias, mu, log_sigma, eps)
    return np.concatenate([by_weight, by_bias[:, None]], axis=1)


def theta(student, rng):
    """A batch of one and of three rows, which share their noise: [nodes, 2, d, k + 1]."""
    nodes, law = _nodes(4)
    b = 3
    decoder, (mu, log_sigma) = _decoder(rng, b), _gaussians(rng, b)
    one = (decoder[0][:1], *decoder[1:])
    grads = [
        [
            _theta(student, one, mu[:1], log_sigma[:1], node[None, None]),
            _theta(student, decoder, mu, log_sigma, np.tile(node, (1, b, 1))),
        ]
        for node in nodes
    ]
    return {"grad": np.array(grads), "grad__weight": law}


def theta_average(student, rng):
    decoder, (mu, log_sigma) = _decoder(rng), _gaussians(rng)
    x, weight, bias, eta = decoder
    eps = rng.normal(size=(AVERAGED, B, K))
    z = np.abs(mu) + np.exp(log_sigma) * np.abs(eps)
    terms = (np.abs(x) + np.abs(bias) + z @ np.abs(weight).T) / eta
    by_weight = np.einsum("mbd,mbk->dk", terms, z) / (AVERAGED * B)
    scale = np.concatenate([by_weight, terms.mean((0, 1))[:, None]], axis=1)
    return {"grad": _theta(student, decoder, mu, log_sigma, eps), "grad__scale": scale}
