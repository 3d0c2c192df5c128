import torch


def _dz(f, z):
    z = z.detach().requires_grad_(True)
    return torch.autograd.grad(f(z).sum(), z)[0]


def grad_pathwise(f, mu, log_sigma, eps):
    sigma = log_sigma.exp()
    zbar = _dz(f, mu + sigma * eps)
    # rule from the lecture: mu_bar = z_bar, sigma_bar = z_bar * eps
    return zbar.mean(0), (zbar * eps).mean(0)


def grad_elbo(log_joint, mu, log_sigma, eps):
    sigma = log_sigma.exp()
    zbar = _dz(log_joint, mu + sigma * eps)
    return zbar.mean(0), (zbar * eps * sigma).mean(0) + 1


def grad_theta(log_lik, weight, bias, mu, log_sigma, eps):
    w, b = weight.clone().requires_grad_(True), bias.clone().requires_grad_(True)
    z = mu + log_sigma.exp() * eps
    loss = log_lik(z, w, b).sum(0).mean()
    return torch.autograd.grad(loss, (w, b))
