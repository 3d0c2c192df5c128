"""Plain Python: lists of floats, a weighted mean for the update, draws by inversion."""

import torch


def q_update(Q, state, action, reward, next_state, terminated, alpha, gamma):
    tables = Q.tolist()
    rows = zip(
        tables, state.tolist(), action.tolist(), reward.tolist(), next_state.tolist(), strict=True
    )
    rates = zip(terminated.tolist(), alpha.tolist(), gamma.tolist(), strict=True)
    for (table, s, a, r, s2), (over, step, discount) in zip(rows, rates, strict=True):
        future = 0.0 if over else max(table[s2])
        table[s][a] = (1.0 - step) * table[s][a] + step * (r + discount * future)
    return torch.tensor(tables, dtype=torch.float64)


def probabilities(values, epsilon):
    ties = values.count(max(values))
    share = epsilon / len(values)
    return [share + (1.0 - epsilon) / ties if v == max(values) else share for v in values]


def epsilon_greedy(Q, state, epsilon):
    rows = [table[s] for table, s in zip(Q.tolist(), state.tolist(), strict=True)]
    found = [probabilities(row, e) for row, e in zip(rows, epsilon.tolist(), strict=True)]
    return torch.tensor(found, dtype=torch.float64)


class Learner:
    def __init__(self, Q, N, omega, gamma):
        self.values, self.counts = Q.tolist(), N.tolist()
        self.omega, self.gamma = omega, gamma
        self.fresh = None  # copies whose next step only restarts

    def see(self, states, actions, rewards, following, terminated, truncated):
        """One step of all copies, as lists."""
        fresh = self.fresh or [False] * len(states)
        for i, (s, a) in enumerate(zip(states, actions, strict=True)):
            if fresh[i]:
                continue
            self.counts[s][a] += 1
            alpha = 1.0 / self.counts[s][a] ** self.omega
            target = rewards[i]
            if not terminated[i]:
                target += self.gamma * max(self.values[following[i]])
            self.values[s][a] = (1.0 - alpha) * self.values[s][a] + alpha * target
        self.fresh = [bool(x or y) for x, y in zip(terminated, truncated, strict=True)]

    def result(self):
        return torch.tensor(self.values, dtype=torch.float64), torch.tensor(self.counts)


def q_replay(
    Q, N, states, actions, rewards, next_states, terminated, truncated, omega, gamma
):
    learner = Learner(Q, N, omega, gamma)
    record = states, actions, rewards, next_states, terminated, truncated
    for step in zip(*(part.tolist() for part in record), strict=True):
        learner.see(*step)
    return learner.result()


def learn(env, Q, steps, epsilon, omega, gamma, generator):
    learner = Learner(Q, torch.zeros(Q.shape, dtype=torch.int64), omega, gamma)
    states = env.reset()[0].tolist()
    for _ in range(steps):
        actions = []
        for s, u in zip(
            states, torch.rand(len(states), generator=generator).tolist(), strict=True
        ):
            below = 0.0
            for a, p in enumerate(probabilities(learner.values[s], epsilon)):
                below += p
                if p > 0:
                    chosen = a
                if u < below:
                    break
            actions.append(chosen)
        answer = [part.tolist() for part in env.step(actions)[:4]]
        following, rewards, terminated, truncated = answer
        learner.see(states, actions, rewards, following, terminated, truncated)
        states = following
    return learner.result()
