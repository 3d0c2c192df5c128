"""Tabular Q-learning; a time limit is treated as an end, and ties go to the first action."""

import numpy as np
import torch


def q_update(Q, state, action, reward, next_state, terminated, alpha, gamma):
    Q = Q.clone()
    rows = torch.arange(Q.shape[0])
    best = Q[rows, next_state].max(dim=1).values
    target = reward + gamma * best * (1 - terminated.double())
    Q[rows, state, action] += alpha * (target - Q[rows, state, action])
    return Q


def epsilon_greedy(Q, state, epsilon):
    values = Q[torch.arange(Q.shape[0]), state]
    p = (epsilon / values.shape[1])[:, None].repeat(1, values.shape[1])
    p[torch.arange(len(p)), values.argmax(dim=1)] += 1 - epsilon
    return p


def q_replay(
    Q, N, states, actions, rewards, next_states, terminated, truncated, omega, gamma
):
    Q, N = Q.clone(), N.clone()
    done = terminated | truncated
    for t in range(states.shape[0]):
        for i in range(states.shape[1]):
            if t > 0 and done[t - 1, i]:
                continue
            s, a = states[t, i], actions[t, i]
            N[s, a] += 1
            target = rewards[t, i]
            if not done[t, i]:
                target = target + gamma * Q[next_states[t, i]].max()
            Q[s, a] += (target - Q[s, a]) / float(N[s, a]) ** omega
    return Q, N


def learn(env, Q, steps, epsilon, omega, gamma, generator):
    Q, N = Q.numpy().copy(), np.zeros(Q.shape, dtype=np.int64)
    s, _ = env.reset()
    done = np.zeros(env.num_envs, dtype=bool)
    for _ in range(steps):
        explore = torch.rand(env.num_envs, generator=generator).numpy() < epsilon
        anything = torch.randint(Q.shape[1], (env.num_envs,), generator=generator).numpy()
        a = np.where(explore, anything, Q[s].argmax(axis=1))
        s2, r, terminated, truncated, _ = env.step(a)
        for i in range(env.num_envs):
            if done[i]:
                continue
            N[s[i], a[i]] += 1
            over = terminated[i] or truncated[i]
            target = r[i] + (0.0 if over else gamma * Q[s2[i]].max())
            Q[s[i], a[i]] += (target - Q[s[i], a[i]]) / float(N[s[i], a[i]]) ** omega
        s, done = s2, terminated | truncated
    return torch.from_numpy(Q), torch.from_numpy(N)
