"""With the loss that torch has for it, whose variance is an argument too."""

from torch.nn import functional


def gauss_loglik(x, mean, eta):
    nll = functional.gaussian_nll_loss(mean, x, eta.expand_as(x), full=True, reduction="none")
    return -nll.sum(dim=1)


def best_eta(x, mean):
    return functional.mse_loss(mean, x)
