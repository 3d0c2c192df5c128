"""One pole after the other with plain numbers; (1-λ)-weighted returns; layers written by hand."""

import torch


def advantages(rewards, values, next_values, terminated, truncated, over, gamma, lam):
    found = torch.zeros_like(rewards)
    for pole in range(rewards.shape[1]):
        r, v, w = (each[:, pole].tolist() for each in (rewards, values, next_values))
        fell, cut = terminated[:, pole].tolist(), truncated[:, pole].tolist()
        ended = bool(over[pole])
        begins = []
        for t in range(len(r)):
            begins.append(ended)
            ended = fell[t] or cut[t]
        target = None  # what the critic should have said of the next state
        for t in range(len(r) - 1, -1, -1):
            if fell[t]:
                further = 0.0
            elif cut[t] or target is None:
                further = w[t]
            else:
                further = w[t] + lam * (target - v[t + 1])
            target = r[t] + gamma * further
            if not begins[t]:
                found[t, pole] = target - v[t]
    return found


def layer(inputs, outputs, generator):
    edge = inputs**-0.5
    weight = torch.empty(inputs, outputs).uniform_(-edge, edge, generator=generator)
    bias = torch.empty(outputs).uniform_(-edge, edge, generator=generator)
    return weight.requires_grad_(), bias.requires_grad_()


class Head:
    def __init__(self, outputs, generator):
        self.parameters = [*layer(4, 32, generator), *layer(32, outputs, generator)]
        self.adam = torch.optim.Adam(self.parameters, lr=2e-2)

    def __call__(self, x):
        W, b, U, c = self.parameters
        return torch.tanh(x @ W + b) @ U + c

    def descend(self, loss):
        for parameter, grad in zip(
            self.parameters, torch.autograd.grad(loss, self.parameters), strict=True
        ):
            parameter.grad = grad
        self.adam.step()


def train(env, steps, generator):
    policy, value = Head(2, generator), Head(1, generator)
    x = torch.as_tensor(env.reset()[0], dtype=torch.float32)
    over = torch.zeros(env.num_envs, dtype=torch.bool)
    calls = 0
    while calls <= steps - 16:
        seen, acted, waiting = [x], [], [over]
        paid, fell, cut = [], [], []
        while len(acted) < 16:
            with torch.no_grad():
                right = torch.softmax(policy(x), dim=1)[:, 1]
            a = torch.bernoulli(right, generator=generator).long()
            observed, r, d, e, _ = env.step(a.numpy())
            x, over = torch.as_tensor(observed, dtype=torch.float32), torch.as_tensor(d | e)
            seen.append(x)
            acted.append(a)
            paid.append(torch.as_tensor(r))
            fell.append(torch.as_tensor(d))
            cut.append(torch.as_tensor(e))
            waiting.append(over)
        calls += 16
        states, acted = torch.stack(seen[:-1]), torch.stack(acted)
        with torch.no_grad():
            all_values = 50 * value(torch.stack(seen))[:, :, 0].double()
        A = advantages(
            torch.stack(paid), all_values[:-1], all_values[1:],
            torch.stack(fell), torch.stack(cut), waiting[0], 0.98, 0.97,
        )
        counts = 1 - torch.stack(waiting[:-1]).float()
        G = (A + all_values[:-1]).float()
        log_pi = torch.log_softmax(policy(states), dim=2)
        log_pi = torch.where(acted == 1, log_pi[:, :, 1], log_pi[:, :, 0])
        policy.descend(-(A.float() * log_pi * counts).sum() / counts.sum())
        value.descend(((50 * value(states)[:, :, 0] - G) ** 2 * counts).sum() / counts.sum())
    return calls
