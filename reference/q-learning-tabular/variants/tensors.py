"""One-hot masks and gather; single entries are changed through numpy views of the tensors."""

import torch
from torch.nn.functional import one_hot


def q_update(Q, state, action, reward, next_state, terminated, alpha, gamma):
    place = one_hot(state, Q.shape[1])[:, :, None] * one_hot(action, Q.shape[2])[:, None, :]
    old = (Q * place).sum(dim=(1, 2))
    future = Q.max(dim=2).values.gather(1, next_state[:, None]).squeeze(1)
    error = reward + gamma * (~terminated) * future - old
    return Q + place * (alpha * error)[:, None, None]


def epsilon_greedy(Q, state, epsilon):
    a = Q.shape[2]
    values = Q.gather(1, state[:, None, None].expand(-1, 1, a)).squeeze(1)
    best = values.eq(values.max(dim=1, keepdim=True).values)
    explored = (epsilon / a)[:, None].expand(-1, a)
    greedy = ((1 - epsilon) / best.sum(dim=1).double())[:, None]
    return torch.where(best, explored + greedy, explored)


def apply(Q, N, s, a, r, s2, over, omega, gamma):
    """One transition, in place."""
    q, n = Q.numpy(), N.numpy()
    n[s, a] += 1
    target = r if over else r + gamma * q[s2].max()
    q[s, a] -= (q[s, a] - target) / float(n[s, a]) ** omega


def q_replay(
    Q, N, states, actions, rewards, next_states, terminated, truncated, omega, gamma
):
    Q, N = Q.clone(), N.clone()
    ended = terminated | truncated
    restarts = torch.cat([torch.zeros_like(ended[:1]), ended[:-1]])
    for t, i in (~restarts).nonzero().tolist():
        seen = (part[t, i].item() for part in (states, actions, rewards, next_states, terminated))
        apply(Q, N, *seen, omega, gamma)
    return Q, N


def learn(env, Q, steps, epsilon, omega, gamma, generator):
    Q, N = Q.clone(), torch.zeros(Q.shape, dtype=torch.int64)
    copies = env.num_envs
    s = torch.as_tensor(env.reset()[0])
    playing = torch.ones(copies, dtype=torch.bool)
    explored = torch.full((copies,), epsilon, dtype=torch.float64)
    for _ in range(steps):
        pi = epsilon_greedy(Q[None].expand(copies, -1, -1), s, explored)
        a = torch.multinomial(pi, 1, generator=generator).flatten()
        s2, r, over, cut = (torch.as_tensor(part) for part in env.step(a.numpy())[:4])
        seen = zip(*(part.tolist() for part in (playing, s, a, r, s2, over)), strict=True)
        for plays, *transition in seen:
            if plays:
                apply(Q, N, *transition, omega, gamma)
        playing = ~(over | cut)
        s = s2
    return Q, N
