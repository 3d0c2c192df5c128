import torch


def _normal_log_density(z, mu, log_sigma):
    precision = torch.exp(-2 * log_sigma)
    return (-((z - mu) ** 2) * precision / 2 - log_sigma).sum(2)


def _setup(mu, log_sigma, eps):
    mu = mu.clone().requires_grad_()
    log_sigma = log_sigma.clone().requires_grad_()
    return mu, log_sigma, mu + eps * log_sigma.exp()


def grad_total(log_joint, mu, log_sigma, eps):
    mu, log_sigma, z = _setup(mu, log_sigma, eps)
    # E[-log q] by sampling: (eps^2)/2 + log sigma, because (z - mu)/sigma is eps again
    entropy = (0.5 * eps**2 + log_sigma).sum(2)
    loss = -(log_joint(z) + entropy).sum() / eps.shape[0]
    loss.backward()
    return -mu.grad, -log_sigma.grad


def score_term(mu, log_sigma, eps):
    mu, log_sigma, z = _setup(mu, log_sigma, eps)
    _normal_log_density(z.detach(), mu, log_sigma).mean(0).sum().backward()
    return mu.grad, log_sigma.grad


def grad_path_derivative(log_joint, mu, log_sigma, eps):
    mu, log_sigma, z = _setup(mu, log_sigma, eps)
    log_ratio = log_joint(z) - _normal_log_density(z, mu.detach(), log_sigma.detach())
    log_ratio.mean(0).sum().backward()
    return mu.grad, log_sigma.grad
