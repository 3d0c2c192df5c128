import math

import torch

HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


def gauss_loglik(x, mean, eta):
    sd = eta.sqrt()
    standardised = (x - mean) / sd
    per_dimension = -standardised.square() / 2 - torch.log(sd) - HALF_LOG_TAU
    return per_dimension.sum(-1)


def best_eta(x, mean):
    # the root of d/d eta, from the mean over dimensions of each row
    return torch.stack([(a - b).pow(2).mean() for a, b in zip(x, mean)]).mean()
