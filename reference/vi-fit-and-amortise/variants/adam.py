"""torch.optim does the ascent, with a decaying step; Woodbury's identity and the KL of torch."""

import torch
from torch.distributions import MultivariateNormal, kl_divergence


def ascent_step(elbo, mu, log_sigma, lr):
    phi = [torch.nn.Parameter(mu.clone()), torch.nn.Parameter(log_sigma.clone())]
    optimiser = torch.optim.SGD(phi, lr=lr)
    (-elbo(*phi)).sum().backward()
    optimiser.step()
    return phi[0].data, phi[1].data


def fit_q(elbo, mu, log_sigma, steps=300):
    phi = [torch.nn.Parameter(mu.clone()), torch.nn.Parameter(log_sigma.clone())]
    optimiser = torch.optim.Adam(phi, lr=0.5)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=1e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        loss = -elbo(*phi).sum()
        loss.backward()
        optimiser.step()
        decay.step()
    return phi[0].detach(), phi[1].detach()


def mean_field_gap(weight, eta):
    _, _, log_sigma = linear_encoder(weight, torch.zeros(len(weight), dtype=weight.dtype), eta)
    zero = torch.zeros_like(log_sigma)
    eye = torch.eye(len(zero), dtype=weight.dtype)
    q = MultivariateNormal(zero, scale_tril=torch.diag(log_sigma.exp()))
    posterior = MultivariateNormal(zero, precision_matrix=eye + weight.T @ weight / eta)
    return kl_divergence(q, posterior)


def linear_encoder(weight, bias, eta):
    d = weight.shape[0]
    covariance = weight @ weight.T + eta * torch.eye(d, dtype=weight.dtype)
    slope = weight.T @ torch.inverse(covariance)
    sigma2 = eta / (eta + weight.square().sum(0))
    return slope, torch.mv(slope, -bias), sigma2.sqrt().log()


def encode(slope, offset, log_sigma, x):
    mu = torch.nn.functional.linear(x, slope, offset)
    return mu, log_sigma.repeat(len(x), 1)


def n_params(theta, n, d, k):
    encoder = torch.nn.Linear(d, k, device="meta")
    phi = sum(parameter.numel() for parameter in encoder.parameters()) + k
    return theta + 2 * k * n, theta + phi
