"""What is measured of nas-reward: numbers row by row, and all sequences of a controller.

`_recursion` bounds what rounding can do to the controller: its recursion with absolute values.
"""

import itertools

import numpy as np


def _joined(parts):
    return np.concatenate([np.ravel(part) for part in parts])


def example(student, rng):
    """The worked example of the statement."""
    return {"agrees": student.example()}


def _small(rng):
    """A number next to 0."""
    return float(10 ** rng.uniform(-8.0, -5.0))


def _architectures(student, rng, b):
    """Accuracy and FLOPS of b architectures, target and exponent."""
    target = float(10 ** rng.uniform(7.0, 10.0))
    flops = target * np.exp(rng.uniform(-3.0, 3.0, b))
    return rng.uniform(0.1, 0.95, b), np.clip(flops, 1e6, 1e12), target, rng.uniform(0.02, 0.98)


def rewarded(student, rng):
    """Rewards on both sides of the target, at it, and at the ends of all ranges or next to them."""
    most = student.domain.sizes("b")[1]
    ends = (1e6, _small(rng)), (1e12, 1 - _small(rng))
    calls = [_architectures(student, rng, b) for b in (7, most, int(rng.integers(2, most)), 1, 1)]
    for target, exponent in ((1e6, 0.0), (1e12, 1.0), (4e8, 0.07), (1e12, 0.0), (1e6, 1.0), *ends):
        draws = [student.domain.draw(rng, name, 9) for name in ("accuracy", "flops")]
        draws[1][4] = target
        calls.append((*draws, target, exponent))
    pair = [_architectures(student, rng, 5) for _ in range(2)]
    calls += student.domain.replaced(*pair, alike="axes")
    found = [student.reward(*call) for call in calls]
    scales = []
    for accuracy, flops, target, exponent in calls:
        size = accuracy * (target / flops) ** exponent
        scales.append(size * (1 + exponent * (np.log(target) + np.log(flops))))
    return {"reward": _joined(found), "reward__scale": _joined(scales)}


def balanced(student, rng):
    """Exponents for gains from none, or hardly any, to twofold, and factors of all sizes."""
    most = student.domain.sizes("b")[1]
    calls = [
        tuple(student.domain.draw(rng, name, b) for name in ("factor", "gain")) for b in (9, most)
    ]
    calls += [(rng.uniform(1.5, 5.0, b), rng.uniform(0.01, 0.5, b)) for b in (6, 1, 1)]
    calls[2][1][:2] = _small(rng)
    pair = [(rng.uniform(1.5, 5.0, 4), rng.uniform(0.01, 0.5, 4)) for _ in range(2)]
    calls += student.domain.replaced(*pair, alike="axes")
    found = [student.balance(*call) for call in calls]
    scales = [(1 + np.log1p(gain)) / np.log(factor) for factor, gain in calls]
    return {"exponent": _joined(found), "exponent__scale": _joined(scales)}


def counted(student, rng):
    """Numbers of decisions: those of the lecture, the ends of the ranges, others."""
    tops = [student.domain.sizes(name)[1] for name in ("cells", "blocks", "parameters")]
    calls = [(2, 5, 5), (1, 7, 6), (1, 1, 1), tuple(tops)]
    calls += [tuple(int(rng.integers(1, top + 1)) for top in tops) for _ in range(8)]
    calls += student.domain.replaced((2, 3, 4), (4, 7, 9))
    found = [student.decisions(*call) for call in calls]
    return {"count": np.array(found, dtype=float), "count__scale": np.prod(calls, axis=1) * 1.0}


def _parameters(rng, t, h, k):
    """W, E, c, V, d of a controller that is neither sure of anything nor indifferent."""
    return (
        np.clip(rng.normal(0.0, 0.7 / np.sqrt(h), (h, h)), -1, 1),
        np.clip(rng.normal(0.0, 1.0, (k, h)), -3, 3),
        rng.uniform(-1.0, 1.0, h),
        rng.normal(0.0, 1.0, (k, h)),
        rng.normal(0.0, 1.0, (t, k)),
    )


def _offers(rng, t, k):
    """The last choice of every step: all, one and some of the k among them, if there is room."""
    last = rng.integers(0, k, t)
    places = rng.permutation(t)
    last[places[:3]] = [k - 1, k // 2, 0][:t]
    return last


def _sequences(rng, last, b):
    return rng.integers(0, last + 1, (b, len(last)))


def _case(rng, b, t, h, k):
    last = _offers(rng, t, k)
    return _sequences(rng, last, b), last, *_parameters(rng, t, h, k)


def _wide(student, rng, b, t, h, k):
    """Parameters from all of their ranges: most choices are nearly sure or nearly impossible."""
    shapes = {"W": (h, h), "E": (k, h), "c": (h,), "V": (k, h), "d": (t, k)}
    drawn = [student.domain.draw(rng, name, *shape) for name, shape in shapes.items()]
    last = _offers(rng, t, k)
    return _sequences(rng, last, b), last, *drawn


def _buried(rng, b, t, h, k):
    """Choices on offer have the smallest biases there may be, the others the largest."""
    sequences, last, w, e, c, v, d = _case(rng, b, t, h, k)
    offered = np.arange(k) <= last[:, None]
    d = np.where(offered, -1000.0 + rng.uniform(0.0, 2.0, d.shape), 1000.0)
    return sequences, last, w, e, c, v, d


def _tied(rng, b, t, h, k):
    """The first two choices, which are always on offer, have equal logits."""
    _, last, w, e, c, v, d = _case(rng, b, t, h, k)
    last, v[1], d[:, 1] = np.maximum(last, 1), v[0], d[:, 0]
    return _sequences(rng, last, b), last, w, e, c, v, d


def _pair(rng):
    """Two calls of one size in which every argument alone matters."""
    t, h, k = int(rng.integers(3, 7)), int(rng.integers(2, 6)), int(rng.integers(4, 7))
    first, second = (_case(rng, 6, t, h, k) for _ in range(2))
    # what one call writes has to be on offer in the other; the offers differ
    low = rng.integers(0, 3, t)
    low[:2] = 2
    first = (_sequences(rng, low, 6), np.minimum(low + 1, k - 1), *first[2:])
    second = (_sequences(rng, low, 6), low, *second[2:])
    return first, second


def _cases(student, rng):
    """Calls of all sizes, the first of many rows."""
    tops = [student.domain.sizes(axis)[1] for axis in "bthk"]
    shapes = [(9, 4, 3, 5), (1, 4, 3, 5), (5, 1, 2, 6), (1, 1, 1, 1), (3, tops[3], 1, tops[3])]
    shapes += [(4, 5, 5, 5), (6, 3, 4, 2), (2, 5, 3, 1), (4, 4, 4, 4), (tops[0], 3, 2, 3)]
    shapes += [tuple(int(rng.integers(2, top + 1)) for top in (20, *tops[1:])) for _ in range(5)]
    calls = [_case(rng, *shape) for shape in shapes]
    # the most of everything; the state dies down, so that rounding does
    every, last, w, *rest = _case(rng, *tops)
    calls.append((every, last, w / 2, *rest))
    calls += [_wide(student, rng, 12, 3, 4, 7), _wide(student, rng, 3, 2, 6, 5)]
    calls += [_buried(rng, 5, 4, 3, 5), _tied(rng, 5, 4, 3, 5)]
    return calls + student.domain.replaced(*_pair(rng), alike="axes")


def _recursion(sequences, w, e, c, v, d):
    """The sums of absolute terms of states [t b h] and of the largest logit [t b]."""
    w, e, c, v, d = (np.abs(part) for part in (w, e, c, v, d))
    size = np.zeros((len(sequences), len(c)))
    states, logits = [], []
    for t in range(sequences.shape[1]):
        before = e[sequences[:, t - 1]] if t else 0.0
        size = 1 + (1 + size) @ w.T + before + c
        states.append(size)
        logits.append((size @ v.T + d[t]).max(1))
    return np.array(states), np.array(logits)


def sequences(student, rng):
    """log p of sequences that the steps offer."""
    calls = _cases(student, rng)
    found = [student.log_prob(*call) for call in calls]
    scales = [2 * _recursion(call[0], *call[2:])[1].sum(0) + 1 for call in calls]
    return {"log_p": _joined(found), "log_p__scale": _joined(scales)}


def _gradient_scales(weight, sequences, w, e, c, v, d):
    """The absolute terms of backpropagation, for W, E, c, V and d."""
    states, logits = _recursion(sequences, w, e, c, v, d)
    w, v = np.abs(w), np.abs(v)
    of = {name: np.ones_like(part) for name, part in zip("WEcVd", (w, e, c, v, d), strict=True)}
    later = np.zeros_like(states[0])
    for t in reversed(range(len(states))):
        error = np.abs(weight)[:, None] * (2 + 2 * logits[t][:, None]) * np.ones(len(v))
        of["d"][t] += error.sum(0)
        of["V"] += error.T @ (1 + states[t])
        later = (1 + 2 * states[t]) * (error @ v + later @ w)
        of["c"] += later.sum(0)
        if t:
            of["W"] += later.T @ (1 + states[t - 1])
            np.add.at(of["E"], sequences[:, t - 1], later)
    return [of[name] for name in "WEcVd"]


def gradients(student, rng):
    """Gradients of weighted sums of log p with respect to all five parameters."""
    found, scales = [], []
    for call in _cases(student, rng):
        b = len(call[0])
        weight = rng.uniform(0.5, 2.0, b) * rng.choice([-1.0, 1.0], b)
        found += student.vjp("log_prob", call, (2, 3, 4, 5, 6), weight)
        scales += _gradient_scales(weight, call[0], *call[2:])
    return {"grad": _joined(found), "grad__scale": _joined(scales)}


def every_sequence(student, rng):
    """All 96 sequences of controllers whose steps offer one to four choices."""
    found = []
    for k in (4, 5, 6, 7):
        last = rng.permutation([0, 1, 2, 3, 3])
        every = np.array(list(itertools.product(*(range(n + 1) for n in last))))
        order = rng.permutation(len(every))
        h = int(rng.integers(1, 7))
        found.append(student.log_prob(every[order], last, *_parameters(rng, 5, h, k)))
    return {"log_p": np.stack(found)}


def impossible(student, rng):
    """Rows with a choice beyond the last are minus infinity; the others are as without them."""
    right = []
    for b, t, h in ((8, 5, 3), (6, 1, 2), (1, 4, 5), (40, 12, 1)):
        k = int(rng.integers(3, 8))
        last = rng.integers(0, k - 1, t)
        written = _sequences(rng, last, b)
        rows = np.arange(b) % 2 == 0
        places = rng.integers(0, t, b)
        places[0], places[-1] = 0, t - 1
        beyond = rng.integers(last[places] + 1, k)
        written[rows, places[rows]] = beyond[rows]
        parameters = _parameters(rng, t, h, k)
        log_p = student.log_prob(written, last, *parameters)
        alone = np.zeros(b)
        if not rows.all():
            alone[~rows] = student.log_prob(written[~rows], last, *parameters)
        with np.errstate(invalid="ignore"):
            right.append(np.where(rows, log_p == -np.inf, np.abs(log_p - alone) < 1e-9))
    return {"log_p_is_right": np.concatenate(right)}


def _batch(rng, b):
    return rng.uniform(-30.0, -1.0, b), rng.uniform(-1.0, 2.0, b), float(rng.uniform(-1.0, 1.5))


def trained(student, rng):
    """The loss of batches of all sizes, and its gradient by the log-probabilities.

    In the first batch a sequence occurs twice.
    """
    most = student.domain.sizes("b")[1]
    calls = [_batch(rng, b) for b in (6, most, 1, int(rng.integers(2, most)), 2)]
    for numbers in calls[0][:2]:
        numbers[-1] = numbers[0]
    for baseline in (-10.0, 10.0, 0.0, _small(rng)):
        draws = (student.domain.draw(rng, name, 7) for name in ("log_probs", "rewards"))
        calls.append((*draws, baseline))
    pair = [_batch(rng, 5) for _ in range(2)]
    calls += student.domain.replaced(*pair, alike="axes")
    found, scales = [], []
    for log_probs, rewards, baseline in calls:
        call = (log_probs, rewards, baseline)
        found += [student.controller_loss(*call)]
        found += student.vjp("controller_loss", call, (0,), np.asarray(rng.uniform(0.5, 1.0)))
        size = (np.abs(rewards) + abs(baseline)) / len(rewards)
        scales += [(size * np.abs(log_probs)).sum(), size]
    return {"loss": _joined(found), "loss__scale": _joined(scales)}


def averaged(student, rng):
    """One step of the moving average, decays 0 and 1, and such as are next to them, among them."""
    most = student.domain.sizes("b")[1]
    sizes = (6, most, 1, int(rng.integers(2, most)), 2, 3, 4, 4)
    decays = (*rng.uniform(0.1, 0.9, 4), 0.0, 1.0, _small(rng), 1 - _small(rng))
    calls = [
        (float(rng.uniform(-2.0, 2.0)), rng.uniform(-1.0, 2.0, b), float(decay))
        for b, decay in zip(sizes, decays, strict=True)
    ]
    for baseline in (-10.0, 10.0, 0.0):
        calls.append((baseline, student.domain.draw(rng, "rewards", 7), 0.9))
    pair = [(s, rng.uniform(-1.0, 2.0, 5), float(rng.uniform(0.1, 0.9))) for s in (0.7, -0.4)]
    calls += student.domain.replaced(*pair, alike="axes")
    found = [student.moving_baseline(*call) for call in calls]
    scales = [abs(baseline) + np.abs(rewards).mean() for baseline, rewards, _ in calls]
    return {"average": _joined(found), "average__scale": np.array(scales)}
