"""Tabular Q-learning with numpy."""

import numpy as np
import torch


def q_update(Q, state, action, reward, next_state, terminated, alpha, gamma):
    new = Q.clone()
    for i in range(Q.shape[0]):
        s, a = state[i], action[i]
        target = reward[i]
        if not terminated[i]:
            target = target + gamma[i] * torch.max(Q[i, next_state[i]])
        new[i, s, a] = Q[i, s, a] + alpha[i] * (target - Q[i, s, a])
    return new


def policy(values, epsilon):
    """Probabilities of the actions for rows of values (numpy)."""
    is_max = values == np.max(values, axis=-1, keepdims=True)
    uniform = np.ones_like(values) / values.shape[-1]
    return epsilon * uniform + (1 - epsilon) * is_max / is_max.sum(axis=-1, keepdims=True)


def epsilon_greedy(Q, state, epsilon):
    values = np.stack([Q[i, s].numpy() for i, s in enumerate(state.tolist())])
    return torch.from_numpy(policy(values, epsilon.numpy()[:, None]))


def apply_step(Q, N, skip, step, omega, gamma):
    """Updates Q and N by one step of all copies; returns which copies restart in the next one."""
    states, actions, rewards, next_states, terminated, truncated = step
    for i in range(len(states)):
        if skip[i]:
            continue
        where = states[i], actions[i]
        N[where] += 1
        bootstrap = 0.0 if terminated[i] else gamma * Q[next_states[i]].max()
        Q[where] += (rewards[i] + bootstrap - Q[where]) / float(N[where]) ** omega
    return np.logical_or(terminated, truncated)


def q_replay(
    Q, N, states, actions, rewards, next_states, terminated, truncated, omega, gamma
):
    Q, N = Q.numpy().copy(), N.numpy().copy()
    skip = np.zeros(states.shape[1], dtype=bool)
    parts = [x.numpy() for x in (states, actions, rewards, next_states, terminated, truncated)]
    for t in range(states.shape[0]):
        skip = apply_step(Q, N, skip, [part[t] for part in parts], omega, gamma)
    return torch.tensor(Q), torch.tensor(N)


def learn(env, Q, steps, epsilon, omega, gamma, generator):
    Q = Q.numpy().copy()
    N = np.zeros(Q.shape, dtype=np.int64)
    observation, _ = env.reset()
    skip = np.zeros(env.num_envs, dtype=bool)
    for _ in range(steps):
        probabilities = torch.from_numpy(policy(Q[observation], epsilon))
        actions = torch.multinomial(probabilities, 1, generator=generator).squeeze(1).numpy()
        following, rewards, terminated, truncated, _ = env.step(actions)
        step = observation, actions, rewards, following, terminated, truncated
        skip = apply_step(Q, N, skip, step, omega, gamma)
        observation = following
    return torch.tensor(Q), torch.tensor(N)
