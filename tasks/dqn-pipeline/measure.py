"""What is measured of dqn-pipeline: stacks, schedules, successors, and memories that overflow.

Whatever is kept in an object is asked for while another object of other sizes is in use. Streams of
entries consist of episodes: an entry for every action, then one for the last frame, whose action
and reward are drawn like any other.
"""

import numpy as np

SHAPES = ((2, 3), (1, 1), (6, 6), (1, 4), (5, 2), (3, 3))  # of frames
CATEGORIES = 6  # transitions that can be drawn from the memories of `draws`
REPEATS = (1, 2, 3, 5, 8, 13, 64)  # rows of a sample


def example(student, rng):
    """The worked example of the statement."""
    return {"agrees": student.example()}


def _frames(student, rng, count, h, w):
    """Frames of drawn pictures, one in five the same as the one before it."""
    drawn = np.rint(student.domain.draw(rng, "frames", count, h, w)).astype(np.uint8)
    for place in np.flatnonzero(rng.random(count - 1) < 0.2):
        drawn[place + 1] = drawn[place]
    return drawn


def _shaped(student, found, *shape):
    """Flat, if it has the size that the constructor fixes, which the contract does not know."""
    if found.shape != shape:
        student.refuse(f"a stack of shape {found.shape}; expected {shape}")
    return found.ravel().astype(np.float64)


def _exact(name, parts):
    """A metric of whole numbers that are to be met exactly, or of copies."""
    found = np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in parts])
    return {name: found, f"{name}__scale": np.ones_like(found)}


def frame_stack(student, rng):
    """Two stacks at a time: episodes of one frame, shorter and longer than a stack, a long one."""
    found = []
    least, most = student.domain.sizes("k")
    depths = [*rng.permutation(np.arange(least, most + 1)), 4]
    for place, k in enumerate(depths):
        other = depths[place - 1]
        pair = [
            (student.new("FrameStack", int(depth)), int(depth), SHAPES[(place + shift) % 6])
            for shift, depth in enumerate((k, other))
        ]
        lengths = [*rng.permutation((1, 2, int(k), int(k) + 3, 7)), 3]
        if place == len(depths) - 1:
            lengths = [33, 2]
        for length in lengths:
            shown = [_frames(student, rng, int(length), *shape) for _, _, shape in pair]
            for count in range(length):
                for (stack, depth, shape), frames in zip(pair, shown, strict=True):
                    answer = stack.reset if count == 0 else stack.step
                    found.append(_shaped(student, answer(frames[count]), depth, *shape))
    return _exact("stack", found)


def _records(student, rng):
    """(frames, starts, k), the first record a short one of two episodes."""
    yield _frames(student, rng, 3, 1, 2), np.array([True, False, True]), 3
    least, most = student.domain.sizes("t")
    shares = (0.0, 0.1, 0.3, 0.6, 1.0)
    for place, k in enumerate([1, 2, 3, 4, 5, 4, 3, 5]):
        t = (least, most, 6, 12, most)[place % 5]
        starts = rng.random(t) < shares[(place * 3) % 5]
        starts[0] = place % 2
        yield _frames(student, rng, t, *SHAPES[place % 6]), starts, k
    pair = [
        (_frames(student, rng, 9, 2, 3), rng.permutation(np.arange(9) < 3), k)
        for k in rng.permutation((2, 3, 4, 5))[:2].tolist()
    ]
    yield from student.domain.replaced(*pair, alike="axes")


def records(student, rng):
    """Stacks of records with many episodes, with one, and whose first frame is not marked."""
    return _exact("stack", [student.stacks(*record) for record in _records(student, rng)])


def _ends(student, rng):
    """(first, last, duration) of schedules that fall, rise, are flat, and have extreme lengths."""
    shortest, longest = 1, 1_000_000
    low, high = np.sort(rng.uniform(0.05, 0.95, 2)).tolist()
    yield high, low, int(rng.integers(20, 60))
    yield low, high, int(rng.integers(20, 60))
    yield 1.0, 0.0, longest
    yield 0.0, 1.0, shortest
    yield high, high, int(rng.integers(2, 9))
    yield 1.0, low, int(rng.integers(2, 9))
    yield 1.0, float(rng.uniform(0.01, 0.1)), int(rng.integers(100, 1000))
    yield 0.0, 0.0, int(rng.integers(2, 9))
    yield from student.domain.replaced(*_two_ends(rng))


def _two_ends(rng):
    """Two schedules that share neither their ends nor their length."""
    for least, most in ((10, 30), (30, 60)):
        yield *rng.uniform(0.0, 1.0, 2).tolist(), int(rng.integers(least, most))


def _epsilons(found, sizes):
    """The metric and its scale, |first| + |last| of each value."""
    scale = np.concatenate([np.full(len(v), size) for v, size in zip(found, sizes, strict=True)])
    return {"epsilon": np.concatenate(found), "epsilon__scale": scale}


def schedule(student, rng):
    """Steps in no order: the first, those around the end, and far beyond it."""
    found, sizes = [], []
    most = 10**8
    for first, last, duration in _ends(student, rng):
        around = duration + np.arange(-3, 4)
        inside = rng.integers(0, duration + 1, 20)
        beyond = duration + rng.integers(0, [10, 100, 10_000, 10**6, 10**7])
        steps = np.concatenate([around, inside, beyond, [0, 1, most]]).clip(0, most)
        for chosen in (rng.permutation(steps), [0], [duration], [most], np.resize(steps, 60)):
            found.append(student.epsilon(np.array(chosen, dtype=np.int64), first, last, duration))
            sizes.append(first + last)
    pair = [(rng.integers(0, 60, 20), *ends) for ends in _two_ends(rng)]
    for call in student.domain.replaced(*pair, alike="axes"):
        found.append(student.epsilon(*call))
        sizes.append(call[1] + call[2])
    return _epsilons(found, sizes)


def run(student, rng):
    """Runs whose schedule ends in their middle, at their last call, and after them."""
    found, sizes = [], []
    least, most = student.domain.sizes("t")
    for place, (first, last, duration) in enumerate(_ends(student, rng)):
        for n, share in ((1 + place % 6, 0.2), (6 - place % 6, 0.0), (1, 0.9)):
            t = int(np.clip(duration // n + rng.integers(-2, 12), least, most))
            ended = rng.random((t, n)) < share
            found.append(student.epsilons_of_run(ended, first, last, duration))
            sizes.append(first + last)
    pair = [(rng.random((20, 3)) < 0.3, *ends) for ends in _two_ends(rng)]
    for call in student.domain.replaced(*pair, alike="axes"):
        found.append(student.epsilons_of_run(*call))
        sizes.append(call[1] + call[2])
    flags = [rng.random((20, 3)) < share for share in (0.1, 0.5)]
    square = rng.random((6, 6)) < 0.3
    for ended in (*flags, square, np.ones((most, 6), dtype=bool), np.zeros((least, 1), dtype=bool)):
        found.append(student.epsilons_of_run(ended, 0.9, 0.2, 40))
        sizes.append(1.1)
    # still falling at the last call of the longest run
    found.append(student.epsilons_of_run(rng.random((most, 6)) < 0.2, 0.9, 0.2, 1000))
    sizes.append(1.1)
    return _epsilons(found, sizes)


def _steps(student, rng, same_step):
    """(arrived, final, ended) of several sizes; in next-step mode no reset ends an episode."""
    sizes = ((3, 1, 1), (1, 1, 1), (60, 6, 4), (12, 2, 3), (2, 6, 1), (20, 1, 4), (4, 4, 4))
    records = [_step_record(student, rng, size, same_step) for size in sizes]
    first, second = (_step_record(student, rng, (8, 3, 2), same_step) for _ in range(2))
    if not same_step:
        # its rows also come between the first and the last row of the other record
        second[2][1] &= ~first[2][0]
        second[2][-2] &= ~first[2][-1]
    return [*records, *student.domain.replaced(first, second, alike="axes")]


def _step_record(student, rng, size, same_step):
    ended = rng.random(size[:2]) < 0.4
    ended[rng.integers(size[0])] = True
    if not same_step:
        for row in range(1, size[0]):
            ended[row] &= ~ended[row - 1]
        ended[-2:-1, 0] = False
    ended[-1, 0] = True  # which says nothing of the first step
    arrived, final = (student.domain.draw(rng, name, *size) for name in ("arrived", "final"))
    final[rng.random(size) < 0.1] = 0.0  # a number like any other
    return arrived, final, ended


def _successors(student, rng, same_step):
    found = []
    for record in _steps(student, rng, same_step):
        found += student.successors(*record, same_step)
    return _exact("successor", found)


def next_step(student, rng):
    """s' and the steps that are transitions, where the step after an end is a reset."""
    return _successors(student, rng, False)


def same_step(student, rng):
    """The same where `final` holds the last observation; an episode may have one step."""
    return _successors(student, rng, True)


def _episode(student, rng, shape, length, ends=True):
    """Entries of an episode of so many actions; without an end its last frame is left out."""
    frames = _frames(student, rng, length + 1, *shape)
    actions = rng.integers(0, 18, length + 1).tolist()
    rewards = rng.uniform(-1000.0, 1000.0, length + 1).tolist()
    kind = int(rng.integers(3))
    entries = [
        [frame, action, reward, False, False]
        for frame, action, reward in zip(frames, actions, rewards, strict=True)
    ]
    if not ends:
        return entries[:-1]
    entries[length - 1][3:] = [kind != 1, kind != 0]
    return entries


def _stream(student, rng, shape, count, lengths):
    """At least `count` entries in episodes of lengths that are drawn from some."""
    entries = []
    while len(entries) < count:
        entries += _episode(student, rng, shape, int(rng.choice(lengths)))
    return entries[:count]


def _edges(student, rng, entries):
    """The same entries, with the edges of actions and rewards among them."""
    places = rng.permutation(len(entries))[:2]
    for place, action, reward in zip(places, (0, 17), (-1000.0, 1000.0), strict=True):
        entries[place][1:3] = [action, reward]
    return entries


# (capacity, k, entries, lengths of episodes)
KINDS = (
    (6, 2, 20, (1, 2, 3)),
    (40, 5, 90, (1, 3, 6, 12)),
    (1, 1, 6, (1, 2)),
    (2, 1, 9, (1, 3)),
    (3, 5, 24, (1, 2, 9)),
    (9, 4, 40, (2, 20)),
    (40, 4, 30, (1, 2, 5)),
    (12, 3, 75, (70,)),
    (11, 2, 44, (1,)),
    (6, 5, 30, (1, 4)),
)


def _kinds(student, rng):
    """The kinds above, and as many drawn ones as make pairs with them."""
    domain, drawn = student.domain, []
    for _ in range(4):
        capacity, k = domain.size(rng, "capacity") + 2, domain.size(rng, "k")
        lengths = tuple(rng.integers(1, 2 * k + 3, 3).tolist())
        drawn.append((min(capacity, 40), k, int(rng.integers(30, 70)), lengths))
    return [*KINDS, *drawn]


def _looked_up(student, memory, numbers, k, shape):
    """The five parts of transitions, flat: [m values]."""
    s, a, r, s_next, terminated = memory.look_up(np.array(numbers, dtype=np.int64))
    m = len(numbers)
    both = [_shaped(student, part, m, k, *shape) for part in (s, s_next)]
    parts = [*both, a, r, terminated]
    return np.concatenate([np.asarray(part, np.float64).reshape(m, -1) for part in parts], axis=1)


def _made(student, rng):
    """Pairs of memories of those kinds, each with (capacity, k, shape, entries)."""
    kinds = _kinds(student, rng)
    for place in range(0, len(kinds), 2):
        pair = []
        for capacity, k, count, lengths in kinds[place : place + 2]:
            shape = SHAPES[(place + len(pair)) % 6]
            entries = _edges(student, rng, _stream(student, rng, shape, count, lengths))
            pair.append((student.new("Memory", capacity, k), capacity, k, shape, entries))
        yield pair


def counts(student, rng):
    """What two memories answer in turn to every frame."""
    found = []
    for pair in _made(student, rng):
        for step in range(max(len(entries) for *_, entries in pair)):
            found += [memory.add(*e[step]) for memory, _, _, _, e in pair if step < len(e)]
    return _exact("count", [found])


def memories(student, rng):
    """Transitions of two memories in turn, at some times and at the end.

    All of them are looked up in order, and 64 (or three) in none, some of them twice: after those,
    or before them, so that the same numbers are asked for again once the memory has gone on.
    """
    content = []
    for place, pair in enumerate(_made(student, rng)):
        asked = rng.random((100, 64))
        for step in range(max(len(entries) for *_, entries in pair)):
            for memory, capacity, k, shape, entries in pair:
                if step >= len(entries):
                    continue
                there = min(max(memory.add(*entries[step]), 0), capacity)
                last = step == len(entries) - 1
                if not last and (step + 2 * place) % 7:
                    continue
                table = np.full((capacity, 2 * k * shape[0] * shape[1] + 3), -1.0)
                some = np.full((64 if last else 3, table.shape[1]), -1.0)
                numbers = (asked[step] * there).astype(np.int64)[: len(some)]
                parts = [(table[:there], np.arange(there)), (some, numbers)]
                for part, chosen in parts[:: 1 if (step + 2 * place) % 2 else -1]:
                    if there:
                        part[:] = _looked_up(student, memory, chosen, k, shape)
                content += [table, some]
    return _exact("content", content)


def _rows(found):
    """What each row of the five parts of a sample holds: a list of bytes."""
    return [b"".join(part[row].tobytes() for part in found) for row in range(len(found[1]))]


def _table(memory, count):
    """Row of a sample -> the number of the transition."""
    if count < 1:
        return {}
    found = memory.look_up(np.arange(count, dtype=np.int64))
    return {row: number for number, row in enumerate(_rows(found))}


def rows(student, rng):
    """Samples of all sizes while memories fill and overflow.

    Every row is a transition that can be drawn at that time. A generator in the same state gives
    the same sample, of few rows as of many, two others give other rows. Of ten transitions or more
    the last 15 or more rows of a sample are not those that stand so many places before, and the
    last row is not always the first. Of 25 or more as many rows are not all different: they are
    with a probability below 1e-9.
    """
    holds, closed = [], {}
    for place, (capacity, k, count, lengths) in enumerate(_kinds(student, rng)):
        shape, added = SHAPES[place % 6], min(count, 2 * capacity + 5)
        entries = _edges(student, rng, _stream(student, rng, shape, added, lengths))
        memory, pause = student.new("Memory", capacity, k), int(rng.integers(2, 6))
        for step, entry in enumerate(entries):
            there = memory.add(*entry)
            if there < 1 or (step % pause and step < len(entries) - 1):
                continue
            known = _table(memory, min(there, capacity))
            sizes = [int(rng.choice(REPEATS)), 13 if len(known) >= 10 else int(rng.choice(REPEATS))]
            samples = [student.sample(memory, m, student.generator()) for m in sizes]
            seed, few = student.generator(), int(rng.choice(REPEATS))
            twice = [_rows(student.sample(memory, few, seed)) for _ in range(2)]
            holds.append(twice[0] == twice[1])
            if len(known) > 1:
                samples.append(student.sample(memory, 64, student.generator()))
                many = _rows(samples[-1])
                repeats = [many[lag:] == many[:-lag] for lag in range(1, 50)]
                holds += [len(set(many)) > 1, len(known) < 10 or not any(repeats)]
                if holds[-2]:  # the same row 64 times would be taken for a reseeded generator
                    samples += student.independent("sample", memory, 64, replicates=2)
            if len(known) >= 25:
                samples.append(student.sample(memory, len(known), student.generator()))
                holds.append(len(set(_rows(samples[-1]))) < len(known))
            for found in map(_rows, samples):
                holds.append(all(row in known for row in found))
                if len(known) >= 10 and len(found) > 1:
                    closed.setdefault(len(found), []).append(found[0] == found[-1])
    holds += [len(seen) < 8 or not all(seen) for seen in closed.values()]
    holds.append(len(holds) > 0)
    return {"holds": np.array(holds)}


def _numbers(student, memory, known, m):
    """The numbers of the transitions in a sample; -1 for a row that is none: [m]."""
    found = student.sample(memory, m, student.generator())
    return [known.get(row, -1) for row in _rows(found)]


def _filled(student, rng, capacity, k, entries):
    """(memory, table of its transitions); a sample is taken before its last entries are added."""
    memory = student.new("Memory", capacity, k)
    for step, entry in enumerate(entries):
        count = memory.add(*entry)
        if count > 0 and step in (len(entries) // 2, len(entries) - 2):
            student.sample(memory, 3, student.generator())
    return memory, _table(memory, min(max(count, 0), capacity))


def _not_full(student, rng):
    """A memory of which most is empty: episodes of 2 and 3 actions, and the first of another."""
    k, shape = int(rng.integers(1, 6)), (2, 3)
    entries = []
    for length in rng.permutation((2, 3)).tolist():
        entries += _episode(student, rng, shape, length)
    entries += _episode(student, rng, shape, 2, ends=False)
    return _filled(student, rng, 40, k, entries)


def _overflown(student, rng):
    """A memory that has lost the beginning of its oldest episode: of that one transition is left.

    Then come two episodes with five transitions, and the first frame of another.
    """
    k, shape = int(rng.integers(1, 6)), (2, 3)
    parts = [int(rng.integers(1, 5)), int(rng.integers(8, 12)), *rng.permutation((1, 4)).tolist()]
    entries = [entry for part in parts for entry in _episode(student, rng, shape, part)]
    entries += _episode(student, rng, shape, 1, ends=False)
    return _filled(student, rng, k + 9, k, entries)


def _large(student, rng):
    """An overflown memory of the largest size, with 36 transitions and stacks of one frame."""
    split = int(rng.integers(5, 31))
    parts = [int(rng.integers(1, 5)), int(rng.integers(8, 12)), split, 35 - split]
    entries = [entry for part in parts for entry in _episode(student, rng, (2, 3), part)]
    entries += _episode(student, rng, (2, 3), 1, ends=False)
    return _filled(student, rng, 40, 1, entries)


def _two(student, rng):
    """A memory with two transitions."""
    return _filled(student, rng, 4, 2, _episode(student, rng, (2, 3), 2))


def _pairs(first, second):
    """One number for two, -1 where one of them is: [draws]."""
    return np.where((first < 0) | (second < 0), -1, CATEGORIES * first + second)


def _fives(student, rng, n):
    """Groups of five rows of a sample of two transitions, as numbers below 32: [n]."""
    memory, known = _two(student, rng)
    calls = [_numbers(student, memory, known, 60) for _ in range(-(-n // 12))]
    groups = np.array(calls).reshape(-1, 5)[:n]
    return np.where((groups < 0).any(axis=1), -1, groups @ 2 ** np.arange(5))


def draws(student, rng, n):
    """Numbers of the transitions in samples of one row, five rows and 64 rows.

    Columns of `number`: single rows, each of five rows, rows of 64 from either memory and from a
    large one. Columns of `pair`: rows of one sample, of successive samples, of 64; five rows of two
    transitions.
    """
    (first, its), (second, others) = _overflown(student, rng), _not_full(student, rng)
    filled = ((first, its), (second, others), _large(student, rng))
    single, five = [], []
    for _ in range(n):
        single += _numbers(student, first, its, 1)
        five.append(_numbers(student, second, others, 5))
    calls = -(-n // 32)
    many = [
        np.array([_numbers(student, memory, known, 64) for _ in range(calls)])
        for memory, known in filled
    ]
    five = np.array(five)
    number = [single, *five.T, *(part.ravel()[:n] for part in many)]
    near = [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4), (0, 2)]
    pair = [_pairs(five[:, i], five[:, j]) for i, j in near]
    successive = [(4, 0, -1), (1, 3, 1)]
    pair += [_pairs(five[:, i], np.roll(five[:, j], shift)) for i, j, shift in successive]
    pair.append(_pairs(many[0][:, ::2], many[0][:, 1::2]).ravel()[:n])
    pair.append(_pairs(many[1][:, :32], many[1][:, 32:]).ravel()[:n])
    numbered = np.arange(CATEGORIES**2)
    six = np.tile((numbered < CATEGORIES) / CATEGORIES, (len(number), 1))
    six[-1] = 1 / CATEGORIES**2
    law = np.full((len(pair) + 1, CATEGORIES**2), 1 / CATEGORIES**2)
    law[-1] = (numbered < 32) / 32
    return {
        "number": np.column_stack(number),
        "number__probabilities": six,
        "pair": np.column_stack([*pair, _fives(student, rng, n)]),
        "pair__probabilities": law,
    }
