"""PixelCNN on 4x4 Ising images."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def masked_sum(p, term):
    # 0 * anything = 0, in the value and in the gradient
    return torch.where(p > 0, p * term, torch.zeros_like(p)).sum(-1)


def no_inf(log_p):
    return torch.where(log_p == -float("inf"), torch.full_like(log_p, -1e4), log_p)


def entropy(log_p):
    log_p = no_inf(log_p)
    return masked_sum(log_p.exp(), -log_p)


def divergence(log_p, log_q):
    zero = log_p == -float("inf")
    log_p = no_inf(log_p)
    log_q = torch.where(zero, log_p, log_q)
    return masked_sum(log_p.exp(), log_p - log_q)


def nll(logits, x):
    bce = F.binary_cross_entropy_with_logits(logits, x, reduction="none")
    return bce.sum(-1).sum(-1).mean(0)


class MaskedConv(nn.Conv2d):
    def __init__(self, mask_type, *args, **kwargs):
        super().__init__(*args, **kwargs)
        k = self.kernel_size[0]
        mask = torch.zeros(k, k)
        mask.view(-1)[: k * k // 2] = 1
        if mask_type == "B":
            mask[k // 2, k // 2] = 1
        self.register_buffer("mask", mask[None, None])

    def forward(self, x):
        return F.conv2d(x, self.weight * self.mask, self.bias, self.stride, self.padding)


class PixelCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(
            [
                MaskedConv("A", 1, 16, 7, padding=3),
                MaskedConv("B", 16, 16, 3, padding=1),
                MaskedConv("B", 16, 16, 3, padding=1),
                MaskedConv("B", 16, 1, 1),
            ]
        )
        self.double()

    def forward(self, x):
        out = 2 * x.unsqueeze(1) - 1
        for i, layer in enumerate(self.layers):
            out = layer(out)
            if i < len(self.layers) - 1:
                out = F.relu(out)
        return out.squeeze(1)

    def log_prob(self, x):
        logits = self(x)
        return (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum((1, 2))

    def fit(self, x, generator):
        self.float()
        x = x.float()
        opt = torch.optim.Adam(self.parameters(), lr=0.005)
        sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda i: min(1.0, (500 - i) / 250))
        for _ in range(500):
            xb = x[torch.randint(len(x), (128,), generator=generator)]
            loss = nll(self(xb), xb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
        self.double()
        return loss.item()
