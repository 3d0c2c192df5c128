"""What is measured of pg-theorem: every function entry by entry, on MDPs of all sizes.

Every function is called with the smallest sizes and the largest, with ordinary tables and with
those of all of the domain, with discounts from 0 on, and with each argument changed alone.

A scale S bounds what rounding may do. I - γ P_π has the condition (1 + γ)/(1 - γ) ≤ 2/(1 - γ) in
the maximum norm, so a stable solver answers up to ε · 2/(1 - γ) times the largest entry. A softmax
is as exact as its logits, so the rounding of θ, 1 + 2 max |θ|, is a factor.
"""

import numpy as np


def _sizes(student, rng):
    """(s, a): two of one size, square ones, all numbers of states, and the edges."""
    (s, s_most), (a, a_most) = map(student.domain.sizes, "sa")
    yield from ((4, 3), (4, 3), (3, 3), (5, 5), (2, 4), (s, a), (s, a_most), (s_most, a))
    yield s_most, a_most
    states = rng.permutation(s_most) + 1
    yield from zip(states.tolist(), (rng.permutation(states) % a_most + 1).tolist(), strict=True)


def _joined(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def _softmax(theta):
    weights = np.exp(theta - theta.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def _mdp(student, rng, place, s, a):
    """P, R, h: in every second call from all of the domain, with states that cannot be reached.

    Where moves are almost without chance, so is the start; there all actions of the first state
    have the same reward, and a last one of several states has none.
    """
    if place % 2:
        return tuple(
            student.domain.draw(rng, name, *shape)
            for name, shape in (("P", (s, a, s)), ("R", (s, a)), ("h", (s,)))
        )
    p, r = rng.dirichlet(np.full(s, 0.5), (s, a)), rng.normal(0.5, 2.0, (s, a))
    h = rng.dirichlet(np.ones(s))
    if place % 4 == 2:
        # moves without chance, or almost
        rare = 10 ** rng.uniform(-8.0, -3.0, (s, a, 1)) * (place % 8 == 2)
        p = (1 - rare) * np.eye(s)[rng.integers(s, size=(s, a))] + rare * p
        h = (1 - rare[0, 0]) * np.eye(s)[rng.integers(s)] + rare[0, 0] * h
        r[0] = r[0, 0]
        r[2:][-1:] = 0.0
    return p, r, h


def _discounts(student, rng, name):
    """A discount for each call: the first three in the middle, then edges and others in turn."""
    edges = student.domain.draw(rng, name, 2)
    for place in range(40):
        kind = place % 5 if place > 2 else 0
        middle, little = rng.uniform(0.2, 0.95), 10 ** rng.uniform(-8.0, -5.0)
        last = little if place < 5 else middle
        yield float((middle, edges[place // 5 % 2], little, edges.max() - little, last)[kind])


def _calls(student, rng, name):
    """(P, R, θ or π, h, γ) for a function; then each of them changed alone."""
    cases = []
    gammas = _discounts(student, rng, f"{name}.gamma")
    for place, (s, a) in enumerate(_sizes(student, rng)):
        p, r, h = _mdp(student, rng, place, s, a)
        if name in ("values", "visitation"):
            policy = student.domain.draw(rng, "pi", s, a)
        elif place % 3 == 1:
            policy = student.domain.draw(rng, "theta", s, a)
        else:
            policy = rng.normal(0.0, 1.0, (s, a))
        if place % 5 == 3:
            policy = _tied(policy)
        cases.append((p, r, policy, h, next(gammas)))
    usual = []
    for _ in range(2):
        p, r, h = _mdp(student, rng, 0, 3, 3)
        usual.append((p, r, rng.dirichlet(np.ones(3), 3), h, float(rng.uniform(0.3, 0.9))))
    far = _far(student, rng, name)
    calls = student.domain.replaced(*cases[:2])
    calls += student.domain.replaced(*usual)
    return [*calls, *cases[2:], far]


def _tied(policy):
    """The first two actions are as likely as each other; those of the first state all are."""
    tied = policy.copy()
    tied[:, :2] = tied[:, :2].mean(axis=1, keepdims=True)
    tied[0] = tied[0].mean()
    return tied


def _far(student, rng, name):
    """The largest differences of values: one state keeps the largest reward, or the smallest.

    Action 0 stays in state 0 and is taken in 99 of 100 steps; action 1 leads to state 1, which is
    never left.
    """
    least, most = np.sort(student.domain.draw(rng, "R", 2)) * rng.choice([-1.0, 1.0])
    p = np.eye(2)[np.array([[0, 1], [1, 1]])]
    r = np.array([[most, least], [least, least]])
    h = np.array([1.0, 0.0])
    policy = np.array([[0.99, 0.01], [0.5, 0.5]])
    if name not in ("values", "visitation"):
        policy = np.log(policy)
    return p, r, policy, h, float(student.domain.draw(rng, f"{name}.gamma", 2).max())


def _solved(p, r, pi, gamma):
    """Absolute values of states, their scale, and those of actions, their scale: numbers, [s a]."""
    p_pi = np.einsum("sa,sax->sx", pi, p)
    v = np.linalg.solve(np.eye(len(p)) - gamma * p_pi, (pi * np.abs(r)).sum(axis=1)).max()
    q = np.abs(r) + gamma * v
    off = 2 * q.max() / (1 - gamma)
    return v, v + off, q, q + off


def evaluated(student, rng):
    """v and q."""
    found, scales = [], []
    for p, r, pi, _, gamma in _calls(student, rng, "values"):
        found += student.values(p, r, pi, gamma)
        _, of_v, _, of_q = _solved(p, r, pi, gamma)
        scales += [np.full(len(p), of_v), of_q]
    return {"values": _joined(found), "values__scale": _joined(scales)}


def visits(student, rng):
    """μ; S is its sum, 1/(1 - γ), times the condition."""
    found, scales = [], []
    for p, _, pi, h, gamma in _calls(student, rng, "visitation"):
        found.append(student.visitation(p, pi, h, gamma))
        scales.append(np.full(len(p), 2 / (1 - gamma) ** 2))
    return {"mu": _joined(found), "mu__scale": _joined(scales)}


def jacobian(student, rng):
    """∂π(a|s)/∂θ[s, c], up to the rounding of π."""
    pair = (rng.normal(size=(3, 3)), rng.normal(size=(3, 3)))
    tables = [table for (table,) in student.domain.replaced(pair[:1], pair[1:])]
    for place, (s, a) in enumerate(_sizes(student, rng)):
        ordinary = rng.normal(0.0, 2.0, (s, a))
        table = student.domain.draw(rng, "theta", s, a) if place % 2 else ordinary
        tables.append(_tied(table) if place % 5 == 3 else table)
    found = [student.policy_jacobian(theta) for theta in tables]
    scales = []
    for theta in tables:
        pi = _softmax(theta)
        terms = pi[:, :, None] * (np.eye(theta.shape[1]) + pi[:, None, :])
        scales.append(terms * (1 + 2 * np.abs(theta).max()))
    return {"slope": _joined(found), "slope__scale": _joined(scales)}


def _gradient_scale(p, r, theta, gamma):
    """S of μ(s) π(c|s) (q(s, c) - v(s)) where μ is as large as it can be, [s a]."""
    pi = _softmax(theta)
    v, of_v, q, of_q = _solved(p, r, pi, gamma)
    most = 1 / (1 - gamma)
    return (1 + 2 * np.abs(theta).max()) * pi * (2 * most**2 * (q + v) + most * (of_q + of_v))


def of_values(student, rng):
    """∇v of every state, by every row of θ."""
    found, scales = [], []
    for p, r, theta, _, gamma in _calls(student, rng, "value_gradient"):
        found.append(student.value_gradient(p, r, theta, gamma))
        scales.append(np.tile(_gradient_scale(p, r, theta, gamma), (len(p), 1, 1)))
    return {"grad": _joined(found), "grad__scale": _joined(scales)}


def theorem(student, rng):
    """∇J."""
    found, scales = [], []
    for p, r, theta, h, gamma in _calls(student, rng, "policy_gradient"):
        found.append(student.policy_gradient(p, r, theta, h, gamma))
        scales.append(_gradient_scale(p, r, theta, gamma))
    return {"grad": _joined(found), "grad__scale": _joined(scales)}


def _horizon_scale(p, r, theta, h, gamma, horizon):
    """The sum of the absolute terms over the steps, each of which may round anew."""
    pi, v, later = _softmax(theta), np.zeros(len(p)), []
    for _ in range(horizon):
        q = np.abs(r) + gamma * p @ v
        v = (pi * q).sum(axis=1)
        later.insert(0, pi * (q + v[:, None]))
    total, weight = np.zeros_like(r), h
    for terms in later:
        total += weight[:, None] * terms
        weight = gamma * np.einsum("s,sa,sax->x", weight, pi, p)
    return (1 + 2 * np.abs(theta).max()) * (1 + horizon) * total


def horizons(student, rng):
    """∇J of episodes of every small number of steps and of the most, γ = 1 in every third call."""
    least, most = student.domain.sizes("horizon")
    steps = [4, 4, 5, 6, least, most, least + 1, *rng.permutation(np.arange(3, most))]
    cases = []
    for place, case in enumerate(_calls(student, rng, "finite_horizon_gradient")):
        gamma = 1.0 if place % 3 == 2 else case[-1]
        cases.append((*case[:-1], gamma, int(steps[place % len(steps)])))
    usual = []
    for horizon in rng.permutation(np.arange(2, 9))[:2].tolist():
        p, r, h = _mdp(student, rng, 0, 3, 3)
        usual.append((p, r, rng.normal(size=(3, 3)), h, float(rng.uniform(0.3, 0.9)), horizon))
    cases += student.domain.replaced(*usual)
    p, r, h = _mdp(student, rng, 0, 4, 2)
    cases += [(p, r, rng.normal(size=(4, 2)), h, 1.0, n) for n in range(least, 8)]
    for gamma, horizon in ((0.0, most), (float(10 ** rng.uniform(-8.0, -5.0)), 3)):
        cases.append((p, r, rng.normal(size=(4, 2)), h, gamma, horizon))
    s, a = (student.domain.sizes(axis)[1] for axis in "sa")
    p, r, h = _mdp(student, rng, 0, s, a)
    cases.append((p, r, rng.normal(size=(s, a)), h, 1.0, most))
    found = [student.finite_horizon_gradient(*case) for case in cases]
    scale = _joined(_horizon_scale(*case) for case in cases)
    return {"grad": _joined(found), "grad__scale": np.where(scale > 0, scale, 1.0)}


def objective(student, rng):
    """The value, and its gradient by θ, and by μ and q, where it is to be 0."""
    cases = []
    for place, (s, a) in enumerate(_sizes(student, rng)):
        if place % 2:
            case = tuple(
                student.domain.draw(rng, name, *shape)
                for name, shape in (("theta", (s, a)), ("mu", (s,)), ("q", (s, a)))
            )
        else:
            case = rng.normal(size=(s, a)), rng.exponential(2.0, s), rng.normal(1, 3, (s, a))
            if place % 4 == 2:
                case[1][::2] *= 10 ** rng.uniform(-8.0, -3.0)
        if place % 5 == 3:
            case = _tied(case[0]), case[1], np.where(rng.random((s, a)) < 0.5, 0.0, case[2])
        cases.append(case)
    square, other = (
        (rng.normal(size=(3, 3)), rng.exponential(2.0, 3), rng.normal(1, 3, (3, 3)))
        for _ in range(2)
    )
    found, scales = [], []
    for case in student.domain.replaced(*cases) + student.domain.replaced(square, other):
        theta, mu, q = case
        pi, exponent = _softmax(theta), 1 + 2 * np.abs(theta).max() + np.log(theta.shape[1])
        terms = mu[:, None] * pi * np.abs(q)
        found.append(student.reinforce_objective(*case))
        scales.append((terms * exponent**2).sum())
        cotangent = rng.uniform(0.5, 2.0)
        found += student.vjp("reinforce_objective", case, (0, 1, 2), np.asarray(cotangent))
        slope = terms + pi * terms.sum(axis=1, keepdims=True)
        unused = pi * exponent
        by_mu, by_q = (unused * np.abs(q)).sum(axis=1), unused * mu[:, None]
        scales += [cotangent * exponent * slope, cotangent * by_mu, cotangent * by_q]
    scale = _joined(scales)
    return {"found": _joined(found), "found__scale": np.where(scale > 0, scale, 1.0)}


def example(student, rng):
    del rng
    return {"agrees": student.example()}
