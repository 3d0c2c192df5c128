"""Newton's method by autograd, row by row; the encoder as regularised least squares."""

import torch


def _bound_and_slope(elbo, phi):
    phi = phi.detach().requires_grad_()
    bound = elbo(*phi.chunk(2, dim=1))
    (slope,) = torch.autograd.grad(bound.sum(), phi, create_graph=True)
    return phi, bound.detach(), slope


def ascent_step(elbo, mu, log_sigma, lr):
    phi, _, slope = _bound_and_slope(elbo, torch.cat([mu, log_sigma], dim=1))
    return torch.add(phi, slope, alpha=lr).detach().chunk(2, dim=1)


def fit_q(elbo, mu, log_sigma):
    phi = torch.cat([mu, log_sigma], dim=1)
    for _ in range(60):
        phi, bound, slope = _bound_and_slope(elbo, phi)
        columns = [
            torch.autograd.grad(column.sum(), phi, retain_graph=True)[0]
            for column in slope.unbind(1)
        ]
        hessian = torch.stack(columns, dim=1)
        slope = slope.detach()
        step = torch.linalg.solve(-hessian, slope).clamp(-2, 2)
        if (step * slope).sum(1).max() < 1e-10:
            break
        size = torch.ones_like(bound)
        for _ in range(12):
            trial = phi.detach() + size[:, None] * step
            worse = ~(elbo(*trial.chunk(2, dim=1)) >= bound)
            size = torch.where(worse, size / 2, size)
            if not worse.any():
                break
        phi = phi.detach() + size[:, None] * step
    return tuple(part.detach() for part in phi.chunk(2, dim=1))


def mean_field_gap(weight, eta):
    singular = torch.linalg.svdvals(weight)
    log_det = torch.log1p(singular**2 / eta).sum()
    return (torch.log1p((weight**2).sum(dim=0) / eta).sum() - log_det) / 2


def linear_encoder(weight, bias, eta):
    k = weight.shape[1]
    eye = torch.eye(k, dtype=weight.dtype)
    rows = torch.cat([weight / eta.sqrt(), eye])
    targets = torch.cat([torch.eye(len(weight), dtype=weight.dtype) / eta.sqrt(), 0 * weight.T])
    slope = torch.linalg.lstsq(rows, targets).solution
    return slope, -(slope * bias).sum(dim=1), -rows.square().sum(dim=0).log() / 2


def encode(slope, offset, log_sigma, x):
    mu = torch.stack([slope @ one + offset for one in x])
    return mu, torch.zeros_like(mu) + log_sigma


def n_params(theta, n, d, k):
    return theta + n * (k + k), theta + k * (d + 2)
