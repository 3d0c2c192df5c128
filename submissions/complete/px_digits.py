import math

import numpy as np
import torch
import torch.nn.functional as F


def causal(k, include_centre):
    m = np.zeros((k, k))
    for i in range(k):
        for j in range(k):
            if i < k // 2 or (i == k // 2 and j < k // 2):
                m[i, j] = 1
    if include_centre:
        m[k // 2, k // 2] = 1
    return torch.from_numpy(m)


def net(x, weights):
    masks = [causal(7, False), causal(3, True), causal(3, True), causal(1, True)]
    h = x[:, None] * 2 - 1
    for i in range(4):
        w, b = weights[2 * i], weights[2 * i + 1]
        h = F.conv2d(h, w * masks[i].to(w.dtype), b, padding="same")
        if i != 3:
            h = F.relu(h)
    return h[:, 0]


def cost(l, x):
    return F.binary_cross_entropy_with_logits(l, x, reduction="none").sum((1, 2))


def logits(x, w1, b1, w2, b2, w3, b3, w4, b4):
    return net(x, (w1, b1, w2, b2, w3, b3, w4, b4))


def nll(logits, x):
    return cost(logits, x)


def bits_per_dim(nats, d):
    return nats / math.log(2) / d


def nats_per_image(bits, d):
    return bits * math.log(2) * d


def bounds(log_w):
    s = log_w.shape[0]
    elbo = log_w.mean(0)
    iw = torch.logsumexp(log_w, 0) - math.log(s)
    return -elbo, -iw


def compare(nats, log_w, d):
    s = log_w.shape[0]
    vae_nats = -(torch.logsumexp(log_w, 0) - math.log(s))
    vae_bits = vae_nats / math.log(2) / d
    pixelcnn_bits = nats / math.log(2) / d
    diff = vae_bits - pixelcnn_bits
    return diff.mean(), torch.std(diff) / math.sqrt(diff.shape[0])


def fit(x, generator):
    weights = []
    for shape in [(16, 1, 7, 7), (16, 16, 3, 3), (16, 16, 3, 3), (1, 16, 1, 1)]:
        bound = 1 / math.sqrt(shape[1] * shape[2] * shape[3])
        for size in (shape, shape[:1]):
            w = torch.nn.Parameter(torch.zeros(size))
            torch.nn.init.uniform_(w, -bound, bound)
            weights.append(w)
    opt = torch.optim.Adam(weights, lr=0.01)
    for step in range(500):
        if step > 250:
            opt.param_groups[0]["lr"] = 0.01 * (500 - step) / 250
        pick = torch.randperm(len(x), generator=generator)[:64]
        batch = x[pick]
        opt.zero_grad()
        loss = cost(net(batch, weights), batch).mean()
        loss.backward()
        opt.step()
    return tuple(w.data for w in weights)
