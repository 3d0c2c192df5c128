"""Tensors throughout: one-hot masks, gather, and the rule of one transition used everywhere."""

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
    N[s, a] += 1
    target = r if over else r + gamma * Q[s2].max()
    Q[s, a] += N[s, a].double().pow(-omega) * (target - Q[s, a])


def q_replay(
    Q, N, states, actions, rewards, next_states, terminated, truncated, omega, gamma
):
    Q, N = Q.clone(), N.clone()
    ended = terminated | truncated
    restarts = torch.cat([torch.zeros_like(ended[:1]), ended[:-1]])
    for t, i in (~restarts).nonzero().tolist():
        s, a, s2 = states[t, i], actions[t, i], next_states[t, i]
        apply(Q, N, s, a, rewards[t, i], s2, terminated[t, i], omega, gamma)
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
        for i in playing.nonzero().flatten().tolist():
            apply(Q, N, s[i], a[i], r[i], s2[i], over[i], omega, gamma)
        playing = ~(over | cut)
        s = s2
    return Q, N
