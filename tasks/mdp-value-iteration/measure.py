"""What is measured of mdp-value-iteration: single sweeps, whole runs, policies and tables.

Where the optimum must be known, it is drawn first and the rewards follow from Bellman's equation,
so that no instance has to be solved here. Rows of P and R that belong to terminal states hold a
self-loop with a reward, which nothing may ever collect.
"""

import numpy as np


def _transitions(rng, states, actions, terminal):
    """P [states, actions, states]: some successors likely, others hardly; terminals absorbing."""
    p = rng.dirichlet(np.full(states, 0.5), (states, actions))
    p[terminal] = np.eye(states)[terminal][:, None, :]
    return p


def _terminals(rng, states, count):
    terminal = np.zeros(states, dtype=bool)
    terminal[rng.permutation(states)[:count]] = True
    return terminal


def _solved(rng, states, gamma, terminals, rare=1.0):
    """(P, R, terminal, Q*): a square MDP whose optimum was drawn; `rare` thins out episode ends."""
    terminal = _terminals(rng, states, terminals)
    p = _transitions(rng, states, states, terminal)
    p[~terminal] *= np.where(terminal, rare, 1.0)
    p[~terminal] /= p[~terminal].sum(2, keepdims=True)
    q = 10.0 + 0.5 * rng.integers(-8, 9, (states, states))
    q[terminal] = 0.0
    r = q - gamma * p @ q.max(1)
    r[terminal] = rng.uniform(2.0, 5.0, (terminals, states))
    return p, r, terminal, q


def _sup(array):
    with np.errstate(all="ignore"):
        return np.abs(array).max()


def one_sweep(student, rng):
    """No state is terminal; as many actions as states, or fewer, or more."""
    values, scales = [], []
    for states, actions in ((2, 2), (5, 5), (8, 3), (3, 6)):
        terminal = np.zeros(states, dtype=bool)
        p = _transitions(rng, states, actions, terminal)
        r, v = rng.normal(0.0, 3.0, (states, actions)), rng.normal(2.0, 4.0, states)
        gamma = float(rng.uniform(0.3, 0.99))
        values.append(student.backup(p, r, terminal, gamma, v).ravel())
        scales.append((np.abs(r) + gamma * p @ np.abs(v)).ravel())
    return {"q": np.concatenate(values), "q__scale": np.concatenate(scales)}


def one_sweep_terminal(student, rng):
    """Terminal states with a self-loop, a reward and a value, none of which may count."""
    values, scales = [], []
    for states, actions, ends in ((2, 2, 1), (7, 3, 2), (5, 5, 3)):
        terminal = _terminals(rng, states, ends)
        p = _transitions(rng, states, actions, terminal)
        r, v = rng.normal(0.0, 3.0, (states, actions)), rng.normal(0.0, 4.0, states)
        r[terminal] = rng.uniform(1.0, 3.0, (ends, actions))
        v[terminal] = rng.uniform(3.0, 9.0, ends)
        gamma = float(rng.uniform(0.3, 1.0))
        values.append(student.backup(p, r, terminal, gamma, v).ravel())
        scales.append((np.abs(r) + gamma * p @ np.abs(v)).ravel())
    return {"q": np.concatenate(values), "q__scale": np.concatenate(scales)}


def fixed_point(student, rng):
    """A sweep from the optimum changes nothing."""
    residuals, scales = [], []
    for gamma in rng.uniform(0.4, 0.98, 4):
        p, r, terminal, q = _solved(rng, 6, float(gamma), 1)
        residuals.append(student.backup(p, r, terminal, float(gamma), q.max(1)) - q)
        scales.append(np.abs(q) + np.abs(r) + 2 * gamma * p @ q.max(1))
    return {"residual": np.stack(residuals), "residual__scale": np.stack(scales)}


def contraction(student, rng):
    """How much further than γ times the error before Q_i lies from Q*, i = 1…8; 0 if not."""
    excess, scales = [], []
    for gamma in rng.uniform(0.6, 0.95, 3):
        p, r, terminal, q = _solved(rng, 5, float(gamma), 1)
        before = _sup(q)
        for sweeps in range(1, 9):
            found, _ = student.value_iteration(p, r, terminal, float(gamma), 0.0, sweeps)
            after = _sup(found - q)
            with np.errstate(all="ignore"):
                excess.append(np.maximum(after - gamma * before, 0.0))
            scales.append((np.abs(r).max() + np.abs(q).max()) / (1 - gamma))
            before = after
    return {"excess": np.array(excess), "excess__scale": np.array(scales)}


def sweeps(student, rng):
    """When the iteration stops, for discounts and tolerances over a wide range."""
    counts = []
    for gamma in rng.uniform(0.3, 0.97, 12):
        tol = float(10 ** rng.uniform(-5.0, -1.0))
        p, r, terminal, _ = _solved(rng, 5, float(gamma), int(rng.integers(0, 3)), rare=0.2)
        counts.append(student.value_iteration(p, r, terminal, float(gamma), tol, 5000)[1])
    return {"n": np.array(counts, dtype=np.float64), "n__scale": np.ones(len(counts))}


def within_tol(student, rng):
    """By how much ‖Q - Q*‖ exceeds tol where episodes are long and γ is close to 1; 0 if not."""
    excess, scales = [], []
    for gamma in rng.uniform(0.95, 0.99, 4):
        tol = float(10 ** rng.uniform(-3.0, -2.0))
        p, r, terminal, q = _solved(rng, 6, float(gamma), 1, rare=0.02)
        found, _ = student.value_iteration(p, r, terminal, float(gamma), tol, 20_000)
        with np.errstate(all="ignore"):
            excess.append(np.maximum(_sup(found - q) - tol, 0.0))
        scales.append((np.abs(r).max() + np.abs(q).max()) / (1 - gamma))
    return {"excess": np.array(excess), "excess__scale": np.array(scales)}


def _costs(rng, states, actions, trapped):
    """A deterministic graph with costs: state 0 ends it, the last `trapped` states never do.

    One action of every other state leads to the state before it, so a way out exists, and every
    step costs something, so no best policy stays for ever.
    """
    out = states - trapped
    target = rng.integers(0, out, (states, actions))
    target[1:out, 0] = np.arange(out - 1)
    target[out:] = rng.integers(out, states, (trapped, actions))
    target[0] = 0
    target = rng.permuted(target, axis=1)
    cost = rng.uniform(0.5, 2.0, (states, actions))
    return np.eye(states)[target], -cost, np.arange(states) == 0


def undiscounted(student, rng):
    """Q and the number of sweeps at γ = 1: on two graphs that end, on one that never does."""
    values, scales = [], []
    for trapped, most in ((0, 60), (0, 200), (2, 17)):
        states = int(rng.integers(6, 10))
        p, r, terminal = _costs(rng, states, 3, trapped)
        found, count = student.value_iteration(p, r, terminal, 1.0, 0.01, most)
        values += [found.ravel(), [count]]
        scales += [np.full(found.size, 2.0 * most), [1.0]]
    return {"q": np.concatenate(values), "q__scale": np.concatenate(scales)}


def grid(student, rng):
    """Tables of grids with drawn stars: first the lecture's rewards, then drawn ones."""
    values, scales = [], []
    for step, bonus in ((-1.0, 10.0), (-0.5, 3.0), tuple(rng.uniform((-2.0, 1.0), (-0.1, 8.0)))):
        height, width = (int(size) for size in rng.permutation(np.arange(3, 7))[:2])
        stars = _terminals(rng, height * width, int(rng.integers(1, 4)))
        p, r = student.star_grid(stars, width, float(step), float(bonus))
        values += [r.ravel(), p.ravel()]
        scales += [np.full(r.size, abs(step) + abs(bonus)), np.ones(p.size)]
    return {"tables": np.concatenate(values), "tables__scale": np.concatenate(scales)}


def policy(student, rng):
    """Of π: its value minus the optimal one, its row sums minus 1, its negative mass."""
    residuals, scales = [], []
    for states, actions in ((6, 6), (40, 3)):
        q = rng.integers(-3, 4, (states, actions)) * 0.5 - 2.0 * (states > actions)
        pi = student.greedy(q)
        with np.errstate(all="ignore"):
            short = (pi * q).sum(1) - q.max(1)
            residuals.append([short, pi.sum(1) - 1.0, np.minimum(pi, 0.0).sum(1)])
        scales.append([np.abs(q).sum(1), np.ones(states), np.ones(states)])
    return {
        "residual": np.concatenate(residuals, axis=1),
        "residual__scale": np.concatenate(scales, axis=1),
    }


def horizon(student, rng):
    """Sweeps that are enough from Q_0 = 0; the last one needs none."""
    counts = []
    for _ in range(20):
        gamma, r_max = rng.uniform(0.5, 0.995), rng.uniform(0.5, 20.0)
        tol = 10 ** rng.uniform(-6.0, -1.0)
        counts.append(student.effective_horizon(float(gamma), float(r_max), float(tol)))
    loose = float(rng.uniform(3.0, 5.0))
    counts.append(student.effective_horizon(0.5, 1.0, loose))
    return {"n": np.array(counts, dtype=np.float64), "n__scale": np.ones(len(counts))}
