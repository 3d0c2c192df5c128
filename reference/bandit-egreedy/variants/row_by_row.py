"""Row by row in Python; ties are broken by a shuffled order of the arms."""

import torch


def update_average(Q, N, action, reward):
    Q, N = Q.clone(), N.clone()
    for i, (a, r) in enumerate(zip(action.tolist(), reward.tolist(), strict=True)):
        n = int(N[i, a]) + 1
        Q[i, a] = float(Q[i, a]) * ((n - 1) / n) + r / n
        N[i, a] = n
    return Q, N


def update_constant(Q, action, reward, alpha):
    error = reward - Q.gather(1, action[:, None]).squeeze(1)
    return Q.scatter_add(1, action[:, None], (alpha * error)[:, None])


def estimates(initial, action, reward):
    rows = []
    histories = zip(initial.tolist(), action.tolist(), reward.tolist(), strict=True)
    for first, arms, rewards in histories:
        q, n, before = list(first), [0] * len(first), []
        for a, r in zip(arms, rewards, strict=True):
            before.append(list(q))
            n[a] += 1
            q[a] = r if n[a] == 1 else q[a] + (r - q[a]) / n[a]
        rows.append(before)
    return torch.tensor(rows, dtype=torch.float64)


def share_within(reward, value, radius):
    mean = torch.zeros(len(reward), dtype=torch.float64)
    shares = []
    for n, column in enumerate(reward.T, start=1):
        mean = mean + (column - mean) / n
        shares.append(torch.abs(mean - value).lt(radius).double().mean())
    return torch.stack(shares)


def action_probabilities(Q, epsilon):
    arms = Q.shape[1]
    rows = []
    for values, eps in zip(Q.tolist(), epsilon.tolist(), strict=True):
        top = max(values)
        count = values.count(top)
        rows.append([eps / arms + (1 - eps) / count * (value == top) for value in values])
    return torch.tensor(rows, dtype=torch.float64)


def act(Q, epsilon, generator):
    chosen = []
    for values, eps in zip(Q, epsilon.tolist(), strict=True):
        order = torch.randperm(len(values), generator=generator)
        if torch.rand((), generator=generator).item() < eps:
            chosen.append(order[0])
        else:
            chosen.append(order[torch.argmax(values[order])])
    return torch.stack(chosen)
