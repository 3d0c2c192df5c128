import torch


def _sample(mu, log_sigma, eps):
    return mu.unsqueeze(0) + eps * log_sigma.exp().unsqueeze(0)


def _grads(total, params):
    total.backward()
    return tuple(p.grad.clone() for p in params)


def grad_pathwise(f, mu, log_sigma, eps):
    m = eps.shape[0]
    mu = mu.clone().requires_grad_(True)
    log_sigma = log_sigma.clone().requires_grad_(True)
    values = f(_sample(mu, log_sigma, eps))  # [m, b]
    return _grads((values / m).sum(), (mu, log_sigma))


def grad_elbo(log_joint, mu, log_sigma, eps):
    # E log p(x,z) = E[log p(x,z) + z^2/2] - (mu^2 + sigma^2)/2: the prior term is done exactly,
    # together with the entropy that is minus the KL to N(0, I)
    def without_prior(z):
        return log_joint(z) + 0.5 * z.pow(2).sum(-1)

    gmu, gls = grad_pathwise(without_prior, mu, log_sigma, eps)
    return gmu - mu, gls - torch.exp(2 * log_sigma) + 1.0


def grad_theta(log_lik, weight, bias, mu, log_sigma, eps):
    with torch.no_grad():
        z = _sample(mu, log_sigma, eps)
    w = weight.clone().requires_grad_(True)
    b = bias.clone().requires_grad_(True)
    values = log_lik(z, w, b)
    return _grads(values.sum() / values.numel(), (w, b))
