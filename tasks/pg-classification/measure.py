"""What is measured of pg-classification: updates image by image, and two trainings on digits.

The program samples nothing: actions are handed over, means and variances over them are exact.
Logits are of ordinary size, larger, or from all of their range, where probabilities are 0 and 1.
Every function is called with all sizes, and again with one argument changed alone.
"""

import numpy as np

TABLE = ((0.0, 1.0), (10.0, 11.0), (-10.0, -9.0))  # rewards of wrong and correct answers, as in S3
SPREADS = (1.5, 12.0, None)  # standard deviations of logits; None is their whole range
START = 0.1  # how large weights are where a training begins, as a part of their range


def example(student, rng):
    """The worked example of the statement."""
    return {"agrees": student.example()}


def _arrays(name, pairs):
    """A metric and its scale from pairs of results and scales."""
    columns = zip(*pairs, strict=True)
    value, scale = (np.concatenate([np.ravel(each) for each in column]) for column in columns)
    return {name: value, f"{name}__scale": scale}


def _softmax(logits):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def _largest(logits):
    """1 + the largest logit of every row: what the roundings of its probabilities grow with."""
    return 1 + np.abs(logits).max(axis=1)


def _sizes(student, rng):
    """(b, k): ordinary first, the smallest, a square, all numbers of classes, the largest."""
    (_, b), (_, k) = (student.domain.sizes(axis) for axis in "bk")
    yield from ((5, 3), (1, 1), (4, 4), (1, k), (b, 1))
    for classes in (rng.permutation(k) + 1).tolist():
        yield int(rng.integers(1, 40)), classes
    yield b, k


def _calls(student, rng, drawn):
    """Arguments `(logits, *drawn(b, k))`, of every size and spread; then one changed alone.

    Of one spread, the first and the last class tie in every second row.
    """

    def call(b, k, spread):
        wide = spread is None
        logits = student.domain.draw(rng, "logits", b, k) if wide else rng.normal(0, spread, (b, k))
        if spread == SPREADS[1]:
            logits[::2, -1] = logits[::2, 0]
        return logits, *drawn(b, k)

    pair = [call(6, 4, SPREADS[0]) for _ in range(2)]
    others = [call(b, k, spread) for b, k in _sizes(student, rng) for spread in SPREADS]
    return student.domain.replaced(*pair, *others, pair[0])


def _answers(student, rng):
    """r_wrong and r_right: those of the lecture in turn with any, the ends and a tie among them."""
    wrong, right = (student.domain.draw(rng, name, 9).tolist() for name in ("r_wrong", "r_right"))
    ends = (min(wrong), max(right)), (max(wrong), min(right))
    pairs, place = [*ends, (3.0, 3.0), *zip(wrong, right, strict=True)], 0
    while True:
        yield TABLE[place // 2 % 3] if place % 2 else pairs[place // 2 % len(pairs)]
        place += 1


def _guesses(rng, b, k):
    """Actions and targets, equal in about every second row."""
    actions = rng.integers(0, k, b)
    return actions, np.where(rng.random(b) < 0.5, actions, rng.integers(0, k, b))


def samples(student, rng):
    """Updates for sampled actions."""
    answers, found = _answers(student, rng), []
    for args in _calls(student, rng, lambda b, k: (*_guesses(rng, b, k), *next(answers))):
        logits, *_, r_wrong, r_right = args
        size = max(abs(r_wrong), abs(r_right)) * _largest(logits)
        found.append((student.reinforce_update(*args), np.repeat(size, logits.shape[1])))
    return _arrays("update", found)


def logistic(student, rng):
    """Updates of logistic regression."""
    found = []
    for logits, targets in _calls(student, rng, lambda b, k: (rng.integers(0, k, b),)):
        update = student.cross_entropy_update(logits, targets)
        found.append((update, np.repeat(_largest(logits), logits.shape[1])))
    return _arrays("update", found)


def _rewarded(student, rng):
    """Draws targets and the rewards of wrong and right answers."""
    answers = _answers(student, rng)
    return lambda b, k: (rng.integers(0, k, b), *next(answers))


def expectations(student, rng):
    """Mean updates, rewards of wrong answers other than 0 among them."""
    found = []
    for args in _calls(student, rng, _rewarded(student, rng)):
        logits, _, r_wrong, r_right = args
        size = max(abs(r_wrong), abs(r_right)) * _largest(logits)
        found.append((student.expected_update(*args), np.repeat(size, logits.shape[1])))
    return _arrays("update", found)


def variances(student, rng):
    """Total variances with a baseline for every image; 0 and the rewards are among them."""
    rewarded = _rewarded(student, rng)

    def drawn(b, k):
        targets, r_wrong, r_right = rewarded(b, k)
        baselines = student.domain.draw(rng, "baselines", b)
        baselines[2::3] = 0.0
        baselines[3::6] = r_right
        return targets, r_wrong, r_right, baselines

    found = []
    for args in _calls(student, rng, drawn):
        logits, _, r_wrong, r_right, baselines = args
        size = max(abs(r_wrong), abs(r_right)) + np.abs(baselines)
        found.append((student.total_variance(*args), 4 * size**2 * _largest(logits)))
    return _arrays("variance", found)


def changes(student, rng):
    """Changes of log-probabilities, and whether their signs are those of the lecture's table.

    For the table no action is certain, and right and wrong answers have the rewards of the slide.
    """
    found, signs = [], []
    for args in _calls(student, rng, _rewarded(student, rng)):
        logits, _, r_wrong, r_right = args
        size = 4 * max(abs(r_wrong), abs(r_right)) * _largest(logits)
        found.append((student.log_prob_changes(*args), np.repeat(size, logits.shape[1])))
    for r_wrong, r_right in TABLE:
        logits, targets = rng.normal(size=(8, 3)), rng.integers(0, 3, 8)
        right = np.arange(3) == targets[:, None]
        change = student.log_prob_changes(logits, targets, r_wrong, r_right)
        signs.append(np.sign(change) == np.sign(np.where(right, r_right, r_wrong)))
    return _arrays("change", found) | {"signs": np.concatenate(signs)}


def _shapes(student, rng):
    """(b, d, k): an ordinary size, the smallest, squares, one of each, all numbers of classes."""
    b, d, k = (student.domain.sizes(axis)[1] for axis in "bdk")
    yield from ((5, 4, 3), (1, 1, 1), (4, 4, 4), (1, d, k), (7, 1, k), (7, d, 1), (1, 1, 2))
    yield k, k, k
    for classes in (rng.permutation(k) + 1).tolist():
        yield int(rng.integers(1, 20)), int(rng.integers(1, d)), classes
    yield b, d, k


def _varied(rng, calls):
    """Classes of the same weights, the first image again with all that is its own, a blank image.

    In every third call each; an image of one pixel is neither blank nor white where it matters.
    """
    for place, (weights, images, *others) in enumerate(calls):
        if place % 3 == 0:
            weights[:, -1] = weights[:, 0]
        elif place % 3 == 1:
            for each in (images, *others):
                if isinstance(each, np.ndarray):
                    each[-1] = each[0]
        else:
            images[1:2] = 0.0
        if images.size < weights.size == 2:
            weights[0], images[0] = rng.normal(size=2), rng.uniform(0.3, 0.9)
    return calls


def _digits(student, rng, b):
    """Images [b 64] and labels of handwritten digits, each a little deformed."""
    part, _ = student.images().split(rng, b)
    deformed = part.deformed(rng)
    return deformed.pixels.reshape(b, -1).clip(0.0, 1.0), deformed.labels


def _episodes(student, rng):
    """Arguments of `policy_loss`: drawn images of all sizes, digits with sampled guesses.

    In the last call the weights of a class are all of one size, so that log-probabilities reach
    many hundreds below zero.
    """
    draw, answers = student.domain.draw, _answers(student, rng)

    def call(b, d, k):
        images = draw(rng, "images", b, d)
        return draw(rng, "weights", d, k), images, *_guesses(rng, b, k), *next(answers)

    pair = [call(6, 5, 4) for _ in range(2)]
    others = _varied(rng, [call(*shape) for shape in _shapes(student, rng)])
    for rewards in TABLE:
        weights = START * draw(rng, "weights", 64, 10)
        images, targets = _digits(student, rng, 50)
        chances = _softmax(images @ weights)
        actions = np.array([rng.choice(10, p=row) for row in chances])
        others.append((weights, images, actions, targets, *rewards))
    ends = rng.choice(draw(rng, "weights", 2, 1).ravel(), (1, 8)).repeat(64, axis=0)
    ends[:, :2] = ends.min(), ends.max()
    others.append((ends, draw(rng, "images", 20, 64), *_guesses(rng, 20, 8), -3.0, 2.0))
    return student.domain.replaced(*pair, *others, pair[0])


def losses(student, rng):
    """The loss of a linear policy, and its gradient by the weights."""
    found = []
    for args in _episodes(student, rng):
        weights, images, *_, r_wrong, r_right = args
        b, k = len(images), weights.shape[1]
        logit, cotangent = 1 + (images @ np.abs(weights)).max(axis=1), rng.uniform(0.5, 2.0)
        reward = max(abs(r_wrong), abs(r_right))
        found.append((student.policy_loss(*args), reward * (2 * logit + np.log(k)).mean()))
        (grad,) = student.vjp("policy_loss", args, (0,), np.asarray(cotangent))
        found.append((grad, np.repeat(cotangent * reward * images.T @ logit / b, k)))
    return _arrays("value", found)


def _trainings(student, rng):
    """Arguments of `train`: digits from zero and from other weights, drawn images of all sizes."""
    draw, (_, most) = student.domain.draw, student.domain.sizes("steps")
    answers = _answers(student, rng)

    def call(b, d, k, steps):
        weights, rate = START * draw(rng, "weights", d, k), float(draw(rng, "rate"))
        images, targets = draw(rng, "images", b, d), rng.integers(0, k, b)
        return weights, images, targets, *next(answers), rate, steps

    pair = [(*call(6, 5, 4, 1)[:5], rate, steps) for rate, steps in ((0.01, 2), (0.004, 4))]
    (b, d, k), (least, fast) = (student.domain.sizes(axis)[1] for axis in "bdk"), (1e-4, 0.01)
    digits = []
    for rewards, rate, steps in zip(TABLE, (fast, 0.005, fast), (most, 1, 3), strict=True):
        start = START * draw(rng, "weights", d, k) if steps == 3 else np.zeros((d, k))
        digits.append((start, *_digits(student, rng, b), *rewards, rate, steps))
    sizes = enumerate(_shapes(student, rng))
    others = _varied(rng, [call(*shape, most - place % most) for place, shape in sizes])
    ends = (draw(rng, "weights", d, k), draw(rng, "images", 3, d), rng.integers(0, k, 3))
    others += [(*ends, -20.0, 20.0, least, 1), (*ends, 20.0, -20.0, least, 2)]
    return student.domain.replaced(*pair, *digits, *others, pair[0])


def digits(student, rng):
    """Weights of both trainings.

    A step multiplies the roundings before it by at most 1 + rate · spread · |x|², with the spread
    of the rewards in one training and 1 in the other.
    """
    found = []
    for args in _trainings(student, rng):
        weights, images, _, r_wrong, r_right, rate, steps = args
        far = (images**2).sum(axis=1).max()
        factors = (max(abs(r_wrong), abs(r_right)), abs(r_right - r_wrong)), (1.0, 1.0)
        for after, (reward, spread) in zip(student.train(*args), factors, strict=True):
            growth = (1 + rate * spread * far) ** steps
            logit = 1 + (images @ np.abs(weights)).max() + steps * rate * reward * far
            step = steps * rate * reward * logit * images.mean(axis=0)
            found.append((after, growth * (np.abs(weights) + step[:, None])))
    return _arrays("weights", found)
