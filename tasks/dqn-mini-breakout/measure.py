"""What is measured of dqn-mini-breakout: λ-returns in numbers, greedy actions, and who learns.

The games are :mod:`harness.environments.breakout`, mirrored or not, channels and actions
renumbered for every seed. The grader plays the episodes that count by itself, with new games
behind the same disguise.
"""

import numpy as np

GAMES, LENGTH, STEPS, EPISODES = 64, 200, 6000, 64


def example(student, rng):
    """The worked example of the statement."""
    del rng
    return {"agrees": student.example()}


def _rollout(student, rng, t, n, a):
    """(rewards, q_next) of one rollout; in some rows all values of the next state are negative."""
    rewards, q_next = rng.normal(0.0, 2.0, (t, n)), rng.normal(0.0, 3.0, (t, n, a))
    below = rng.random((t, n)) < 0.3
    q_next[below] = -np.abs(q_next[below]) - 0.5
    return rewards, q_next


def _wide(student, rng, t, n, a):
    """The same, with values from all of their ranges."""
    draw = student.domain.draw
    return draw(rng, "rewards", t, n), draw(rng, "q_next", t, n, a)


def _alike(student, rng, t, n, a):
    """The same with zeros and equal numbers: rewards, values of a state, all of a step or a game.

    There are at least six steps and five games.
    """
    rewards, q_next = _rollout(student, rng, t, n, a)
    for step, game in ((0, 1), (t - 2, 0)):
        q_next[step, game] = q_next[step, game, 0]
    q_next[[1, t - 1], [0, 1]] = 0
    rewards[[1, t - 1, 0, t - 3], [0, 1, 2, 0]] = 0
    rewards[3], q_next[3] = rewards[2], q_next[2]
    rewards[:, 4], q_next[:, 4] = rewards[:, 3], q_next[:, 3]
    return rewards, q_next


def _never(rng, t, n):
    return np.zeros((t, n), dtype=bool)


def _sometimes(rng, t, n):
    return rng.random((t, n)) < 0.25


def _measured(student, call):
    """A call's λ-returns, and the sums of absolute terms as if nothing ended."""
    rewards, q_next, _, _, gamma, lam = call
    sizes, following = np.zeros_like(rewards), np.zeros_like(rewards[0])
    largest = np.abs(q_next).max(axis=2)
    for t in reversed(range(len(rewards))):
        mixed = (1 - lam) * largest[t] + lam * np.maximum(following, largest[t])
        sizes[t] = following = np.abs(rewards[t]) + gamma * mixed
    return student.lambda_returns(*call).ravel(), sizes.ravel()


def _returns(student, rng, terminates, cuts):
    """λ-returns of rollouts of many sizes, whose flags are drawn by two functions.

    As many steps as games among them, so that a confusion of axes gives a number; every γ and λ at
    its ends and close to them; equal numbers; and two calls of which each argument changes alone.
    """
    domain = student.domain

    def call(make, sizes, gamma, lam):
        t, n, _ = sizes
        flags = terminates(rng, t, n), cuts(rng, t, n)
        return (*make(student, rng, *sizes), *flags, float(gamma), float(lam))

    (t, n, a), (t_most, n_most, a_most) = zip(*map(domain.sizes, "tna"), strict=True)
    sizes = [(5, 3, 3), (4, 4, 4), (4, 4, 4), (t, n, a), (t, n_most, 3), (t_most, n, 2)]
    sizes += [(t_most, n_most, a_most), (6, 4, a)]
    gammas, lams = (domain.draw(rng, name, 6) for name in ("gamma", "lam"))
    inner = rng.uniform(0.5, 0.99, (2, 8))
    calls = [call(_rollout, size, *each) for size, each in zip(sizes, inner.T, strict=False)]
    calls += [call(_rollout, (7, 5, 3), gamma, rng.uniform(0.2, 0.9)) for gamma in gammas]
    calls += [call(_rollout, (7, 5, 3), rng.uniform(0.5, 0.99), lam) for lam in lams]
    for close in 10 ** rng.uniform(-5.0, -2.0, 2):
        calls.append(call(_rollout, (4, 3, 3), rng.choice([close, 1 - close]), 0.9))
        calls += [call(_rollout, (4, 3, 3), 0.9, lam) for lam in (close, 1 - close)]
    calls += [call(_rollout, (n_most, n_most, 2), *rng.uniform(0.0, 0.5, 2))]
    calls += [call(_rollout, (t_most, n, 2), *rng.uniform(0.0, 0.4, 2))]
    calls += [call(_alike, (8, 6, 3), *rng.uniform(0.5, 0.99, 2))]
    calls += [call(_wide, (9, 6, a_most), 0.9, 0.6), call(_wide, (12, 4, 3), 1.0, 1.0)]
    pair = [call(_rollout, (6, 5, 3), *each) for each in inner.T[-2:]]
    calls += domain.replaced(*pair, alike="axes")
    rewards, q_next, *flags, gamma, lam = call(_wide, (t_most, 2, 2), 1.0, 1.0)
    largest = (np.full_like(part, np.abs(part).max()) for part in (rewards, q_next))
    sign = rng.choice([-1.0, 1.0])  # the largest returns that there may be
    calls.append((*(sign * part for part in largest), *flags, gamma, lam))
    found, scales = zip(*(_measured(student, each) for each in calls), strict=True)
    return np.concatenate(found), np.concatenate(scales)


def plain(student, rng):
    """Rollouts in which no episode ends."""
    found, scales = _returns(student, rng, _never, _never)
    return {"y": found, "y__scale": scales}


def terminal(student, rng):
    """Rollouts in which balls are lost."""
    found, scales = _returns(student, rng, _sometimes, _never)
    return {"y": found, "y__scale": scales}


def cut(student, rng):
    """Rollouts with either flag, both and none."""
    found, scales = _returns(student, rng, _sometimes, _sometimes)
    return {"y": found, "y__scale": scales}


def _asked(player, seen, order, size):
    """The actions of all rows, asked for in some order and in parts of a size: [rows]."""
    actions = np.zeros(len(seen), dtype=np.int64)
    for first in range(0, len(order), size):
        part = order[first : first + size]
        actions[part] = player.act(seen[part])
    return actions


def acts(student, rng):
    """Whether untrained players act row by row, in range, whatever the row, other rows or call.

    One row in ten may have two actions: values that are equal in single precision are decided by
    rounding. Where the same array is sent again, no row may. The first row is empty, the second
    full; each row also stands beside itself.
    """
    (b, c), (b_most, c_most) = zip(*map(student.domain.sizes, "bc"), strict=True)
    h, w = student.domain.sizes("h")[0], student.domain.sizes("w")[0]
    found, asked = [], {}  # what of two alike the one was asked, the other one is asked, too
    wide = 16, c_most, 5
    for rows, channels, actions in ((b_most, 4, 3), wide, wide, (16, c, 2)):
        player = student.new("Player", channels, actions, student.generator())
        shape = rows, channels, h, w
        drawn = student.domain.draw(rng, "act.observations", *shape).astype(bool)
        drawn[0], drawn[1] = False, True
        seen = asked.setdefault(shape, drawn)
        again = [player.act(seen) for _ in range(8)]
        first = again[0]
        single = [_asked(player, seen, rng.permutation(rows), b) for _ in range(160 // rows + 1)]
        sizes = (*(rows,) * 12, *range(b + 1, rows))
        mixed = [_asked(player, seen, rng.permutation(rows), size) for size in sizes]
        mixed.append(_asked(player, seen, np.repeat(rng.permutation(rows), 2), rows))
        repeated = [(each == rounds[0]).all() for rounds in (again, single) for each in rounds]
        moved = (np.stack([*single, *mixed]) != first).any(axis=0)
        for _ in range(32 if rows == b_most else 0):
            many = student.domain.draw(rng, "act.observations", *shape).astype(bool)
            found.append((player.act(many) == player.act(many)).all())
        found += [((first >= 0) & (first < actions)).all(), *repeated, moved.mean() <= 0.1]
    return {"alike": np.array(found)}


def learn(student, rng):
    """The mean return of whole episodes after one seed of learning."""
    hidden = student.environment("breakout", rng)
    player = student.new("Player", hidden.observation_shape[0], hidden.actions, student.generator())
    games = hidden.vector(rng, GAMES, LENGTH)
    env = student.serve(games, hidden.observation_shape, hidden.actions, max_steps=GAMES * STEPS)
    player.learn(env, STEPS, student.generator())
    return {"return": np.asarray(_play(student, player, hidden, rng).mean())}


def _play(student, player, hidden, rng):
    """The return of the first episode of each of new games, by ``act``."""
    games = hidden.vector(rng, EPISODES, LENGTH)
    seen, _ = games.reset()
    playing, returns = np.ones(EPISODES, dtype=bool), np.zeros(EPISODES)
    while playing.any():
        actions = player.act(seen)
        if not ((actions >= 0) & (actions < hidden.actions)).all():
            student.refuse(f"act returned an action outside 0..{hidden.actions - 1}")
        seen, rewards, lost, cut, _ = games.step(actions)
        returns += rewards * playing
        playing &= ~(lost | cut)
    return returns
