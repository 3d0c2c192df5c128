import torch


def _log_q(z, mu, log_sigma):
    return torch.distributions.Normal(mu, log_sigma.exp()).log_prob(z).sum(-1)


def _leaves(mu, log_sigma):
    return mu.clone().requires_grad_(), log_sigma.clone().requires_grad_()


def grad_total(log_joint, mu, log_sigma, eps):
    mu, log_sigma = _leaves(mu, log_sigma)
    z = mu + log_sigma.exp() * eps
    bound = (log_joint(z) - _log_q(z, mu, log_sigma)).mean(0).sum()
    return torch.autograd.grad(bound, (mu, log_sigma))


def score_term(mu, log_sigma, eps):
    mu, log_sigma = _leaves(mu, log_sigma)
    z = mu + log_sigma.exp() * eps
    return torch.autograd.grad(_log_q(z.detach(), mu, log_sigma).mean(0).sum(), (mu, log_sigma))


def grad_path_derivative(log_joint, mu, log_sigma, eps):
    mu, log_sigma = _leaves(mu, log_sigma)
    z = mu + log_sigma.exp() * eps
    # detached the sample inside log q instead of its parameters
    bound = (log_joint(z) - _log_q(z.detach(), mu, log_sigma)).mean(0).sum()
    return torch.autograd.grad(bound, (mu, log_sigma))
