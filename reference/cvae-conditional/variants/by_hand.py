"""Weights as plain parameters, the step's gradients written out, a batch in an epoch's order."""

import math

import torch

ENTRIES = "encoder.0", "encoder.2", "prior", "decoder.0", "decoder.2"


class Affine(torch.nn.Module):
    """inputs Wᵀ + b, both uniform in ± 1/√inputs at first."""

    def __init__(self, inputs, outputs):
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        for name, shape in (("weight", (outputs, inputs)), ("bias", (outputs,))):
            numbers = torch.empty(shape, dtype=torch.float64).uniform_(-bound, bound)
            self.register_parameter(name, torch.nn.Parameter(numbers))

    def forward(self, inputs):
        return torch.einsum("oi,...i->...o", self.weight, inputs) + self.bias


def kl_of(mu1, log_sigma1, mu2, log_sigma2):
    variance1, precision2 = torch.exp(2 * log_sigma1), torch.exp(-2 * log_sigma2)
    quadratic = (variance1 + (mu1 - mu2).square()) * precision2
    return torch.sum(0.5 * quadratic - 0.5 + log_sigma2 - log_sigma1, -1)


def kl_diag(mu1, log_sigma1, mu2, log_sigma2):
    return kl_of(mu1, log_sigma1, mu2, log_sigma2)


def nll(y, mean, log_tau):
    return (0.5 * math.log(math.tau) + log_tau + 0.5 * (y - mean) ** 2 / log_tau.exp() ** 2).sum(-1)


class CVAE(torch.nn.Module):
    def __init__(self, d=2, m=1, h=32, k=1):
        super().__init__()
        self.k, self.m, self.d = k, m, d
        self.encoder = torch.nn.ModuleDict({"0": Affine(d + m, h), "2": Affine(h, 2 * k)})
        self.prior = Affine(d, 2 * k)
        self.decoder = torch.nn.ModuleDict({"0": Affine(d + k, h), "2": Affine(h, 2 * m)})

    @staticmethod
    def through(network, inputs):
        """What goes in, the hidden layer, and what comes out."""
        hidden = network["0"](inputs).clamp(min=0)
        return inputs, hidden, network["2"](hidden)

    def q(self, x, y):
        answers = self.through(self.encoder, torch.cat((x, y), -1))[-1]
        return answers[:, : self.k], answers[:, self.k :]

    def p(self, x):
        answers = self.prior(x)
        return answers[:, : self.k], answers[:, self.k :]

    def decoded(self, x, z):
        answers = self.through(self.decoder, torch.cat((x, z), -1))[-1]
        return answers[..., : self.m], answers[..., self.m :]

    def encode(self, x, y):
        return self.q(x, y)

    def conditional_prior(self, x):
        return self.p(x)

    def decode(self, x, z):
        return self.decoded(x, z)

    def losses(self, x, y, eps):
        mu, log_sigma = self.q(x, y)
        z = torch.addcmul(mu, torch.exp(log_sigma), eps)
        return nll(y, *self.decoded(x, z)) + kl_of(mu, log_sigma, *self.p(x))

    def loss(self, x, y, eps):
        return self.losses(x, y, eps)

    @torch.no_grad()
    def step(self, x, y, eps, rate):
        b, k, m = len(x), self.k, self.m
        q_in, q_hidden, q_out = self.through(self.encoder, torch.cat((x, y), -1))
        mu, log_sigma = q_out[:, :k], q_out[:, k:]
        mu_p, log_sigma_p = self.p(x)
        sigma = log_sigma.exp()
        z = mu + sigma * eps
        p_in, p_hidden, p_out = self.through(self.decoder, torch.cat((x, z), -1))
        mean, log_tau = p_out[:, :m], p_out[:, m:]
        before = (nll(y, mean, log_tau) + kl_of(mu, log_sigma, mu_p, log_sigma_p)).mean().item()
        # slopes of the sum of the rows, divided by b at the end
        scaled = (y - mean) * torch.exp(-log_tau)
        p_bar = torch.cat((-scaled * torch.exp(-log_tau), 1 - scaled**2), 1)
        p_hidden_bar = (p_bar @ self.decoder["2"].weight) * (p_hidden > 0)
        z_bar = (p_hidden_bar @ self.decoder["0"].weight)[:, self.d :]
        apart = (mu - mu_p) * torch.exp(-2 * log_sigma_p)
        ratio = torch.exp(2 * (log_sigma - log_sigma_p))
        q_bar = torch.cat((z_bar + apart, z_bar * eps * sigma + ratio - 1), 1)
        q_hidden_bar = (q_bar @ self.encoder["2"].weight) * (q_hidden > 0)
        prior_bar = torch.cat((-apart, 1 - ratio - apart * (mu - mu_p)), 1)
        for layer, bar, inputs in (
            (self.encoder["0"], q_hidden_bar, q_in),
            (self.encoder["2"], q_bar, q_hidden),
            (self.prior, prior_bar, x),
            (self.decoder["0"], p_hidden_bar, p_in),
            (self.decoder["2"], p_bar, p_hidden),
        ):
            layer.weight -= rate / b * (bar.T @ inputs)
            layer.bias -= rate / b * bar.sum(0)
        return before

    def log_likelihood(self, x, y, eps):
        mu, log_sigma = self.p(x)
        found = [-nll(y, *self.decoded(x, mu + log_sigma.exp() * noise)) for noise in eps]
        log_p = torch.stack(found)
        top = log_p.max(0).values
        return top + (log_p - top).exp().mean(0).log()

    def sample(self, x, eps, noise):
        mu, log_sigma = self.p(x)
        mean, log_tau = self.decoded(x, mu + log_sigma.exp() * eps)
        return mean + log_tau.exp() * noise

    def fit(self, x, y, generator):
        optimiser = torch.optim.Adam(self.parameters(), lr=0.02)
        order = torch.randperm(len(x), generator=generator)
        for step in range(600):
            for group in optimiser.param_groups:
                group["lr"] = 0.02 if step < 300 else 0.02 * (600 - step) / 300
            if len(order) < 512:
                order = torch.cat((order, torch.randperm(len(x), generator=generator)))
            rows, order = order[:512], order[512:]
            eps = torch.randn((512, self.k), dtype=torch.float64, generator=generator)
            loss = self.losses(x[rows], y[rows], eps).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return loss.item()
