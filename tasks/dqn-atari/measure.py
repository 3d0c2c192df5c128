"""What is measured of dqn-atari: whole games of Pong that the grader owns, and the score of a game.

The environments live here; the program only sees frames and answers actions. Every environment has
a seed of its own and plays one whole game; what it does afterwards is not looked at. The program
learns in games behind a disguise, :mod:`harness.environments.pong`, and plays further ones behind
the same.
"""

import hashlib
from itertools import pairwise

import numpy as np

PROTOCOL = {
    "game": "pong",
    "repeat_action_probability": 0.25,
    "noop_max": 30,
    "frameskip": 4,
    "maxpool": True,
    "episodic_life": False,
    "life_loss_info": False,
    "reward_clipping": False,
    "use_fire_reset": False,
    "full_action_space": False,
    "max_num_frames_per_episode": 108_000,
    "img_height": 84,
    "img_width": 84,
    "grayscale": True,
    "stack_num": 4,
}
CHECKPOINT = "dqn_atari.safetensors"
ACTIONS = 6
SINGLE_ROUNDS = 8  # of all states, one at a time: 240 calls in which one that is special shows
PARTS = *(30,) * 12, *range(2, 30)  # sizes of batches of all states, each in another order
GAMES = 16  # side by side while the program learns
STEPS = 9_600  # calls of env.step: 153,600 agent steps
LENGTH = 27_000  # agent steps of the longest game


def play(student, rng, n):
    """Undiscounted, unclipped returns of n whole games, one for each seed."""
    from ale_py.vector_env import AtariVectorEnv

    knobs = {name: value for name, value in PROTOCOL.items() if name != "game"}
    envs = AtariVectorEnv(PROTOCOL["game"], n, batch_size=n, num_threads=1, **knobs)
    seeds = rng.choice(2**31 - 1, n, replace=False)
    player = student.new("Player", student.file(CHECKPOINT))
    frames, _ = envs.reset(seed=seeds.astype(np.int64))
    metrics = _games(student, player, envs, frames)
    envs.close()
    return metrics


def learn(student, rng, n):
    """The same of n games behind a disguise, by a program that has just learnt behind it."""
    hidden = student.environment("pong", rng)
    learner = student.new("Learner", student.generator())
    games = hidden.vector(rng, GAMES, LENGTH)
    env = student.serve(games, hidden.observation_shape, hidden.actions, max_steps=GAMES * STEPS)
    learner.learn(env, STEPS, student.generator())
    envs = hidden.vector(rng, n, LENGTH)
    frames, _ = envs.reset()
    return _games(student, learner, envs, frames)


def _games(student, player, envs, frames):
    """The return of the first game of each environment, and a digest of its actions and rewards."""
    n = envs.num_envs
    playing, returns = np.ones(n, dtype=bool), np.zeros(n)
    games = [hashlib.sha256() for _ in range(n)]
    while playing.any():
        rows = np.flatnonzero(playing)
        actions = np.zeros(n, dtype=np.int64)
        actions[rows] = player.act(frames[rows])
        if not ((actions >= 0) & (actions < ACTIONS)).all():
            student.refuse(f"act returned an action outside 0..{ACTIONS - 1}")
        frames, rewards, over, cut, _ = envs.step(actions)
        for row in rows:
            games[row].update(bytes((int(actions[row]), int(rewards[row]) & 255)))
        returns[rows] += rewards[rows]
        playing &= ~(over | cut)
    digests = np.array([int.from_bytes(game.digest()[:8], "big") for game in games], np.uint64)
    return {"return": returns, "return__trajectory": digests}


def _states(rng, games=6):
    """Frames [30 4 84 84] from the first minute of games that are played at random."""
    from ale_py.vector_env import AtariVectorEnv

    knobs = {name: value for name, value in PROTOCOL.items() if name != "game"}
    envs = AtariVectorEnv(PROTOCOL["game"], games, batch_size=games, num_threads=1, **knobs)
    envs.reset(seed=rng.choice(2**31 - 1, games, replace=False).astype(np.int64))
    kept = []
    for count in range(1, 61):
        frames, *_ = envs.step(rng.integers(0, ACTIONS, games))
        if count >= 20 and count % 10 == 0:
            kept.append(np.array(frames))
    envs.close()
    return np.concatenate(kept)


def _asked(player, frames, order, size):
    """The actions of all states, asked for in some order and in parts of a size: [states]."""
    actions = np.zeros(len(frames), dtype=np.int64)
    for first in range(0, len(order), size):
        part = order[first : first + size]
        actions[part] = player.act(frames[part])
    return actions


def answers(student, rng):
    """Whether an action depends on its state alone: not on its row, other rows, or earlier calls.

    The states are asked for again and again, all at once, in parts and one at a time, in order and
    in others, so that each has many rows and stands beside many others. Actions whose values are
    equal up to rounding may change with the size of the batch and with the row, so one state in ten
    may have two actions; where the same array is sent again, none may, whatever the number of the
    call. A player that always does the same has not looked.
    """
    frames = _states(rng)
    states = len(frames)
    inverted, player = 255 - frames, student.new("Player", student.file(CHECKPOINT))
    again = [player.act(frames) for _ in range(8)]
    player.act(inverted)
    again.append(player.act(frames))
    first = again[0]
    if not ((first >= 0) & (first < ACTIONS)).all():
        student.refuse(f"act returned an action outside 0..{ACTIONS - 1}")
    single = [_asked(player, frames, rng.permutation(states), 1) for _ in range(SINGLE_ROUNDS)]
    mixed = [_asked(player, frames, rng.permutation(states), size) for size in PARTS]
    repeated = [np.array_equal(*pair) for each in (again, single) for pair in pairwise(each)]
    moved = (np.stack([*single, *mixed]) != first).any(axis=0)
    found = [*repeated, moved.mean() <= 0.1, len(np.unique(first)) > 1]
    # other states with the same newest frames, and a player that has seen no others
    other = np.concatenate([inverted[:, :3], frames[:, 3:]], axis=1)
    apart = student.new("Player", student.file(CHECKPOINT))
    found.append((player.act(other) != apart.act(other)).mean() <= 0.1)
    return {"holds": np.array([*found, *_fresh(student, rng, frames)])}


def _fresh(student, rng, frames):
    """The same of two learners that have not learnt.

    Values of a network that knows nothing lie close together, so one state in five may have two
    actions.
    """
    found, rows = [], len(frames)
    for _ in range(2):
        learner = student.new("Learner", student.generator())
        again = [learner.act(frames) for _ in range(4)]
        parts = [_asked(learner, frames, rng.permutation(rows), size) for size in (1, 7, rows)]
        moved = (np.stack(parts) != again[0]).any(axis=0)
        found += [np.array_equal(again[0], other) for other in again[1:]]
        found += [moved.mean() <= 0.2, ((again[0] >= 0) & (again[0] < ACTIONS)).all()]
    return found


def example(student, rng):
    """The worked example of the statement."""
    return {"agrees": student.example()}


def _record(rng, length, first):
    """(rewards, lives, game_over): the first game ends in step `first`, perhaps others later.

    Its last step is paid like any other, and lives are lost on the way.
    """
    rewards = rng.integers(-4, 8, length) * rng.choice([0.5, 1.0, 10.0], length)
    rewards[first] = 7.0
    over = (np.arange(length) > first) & (rng.random(length) < 0.05)
    over[first] = True
    over[-1] |= first < length - 1
    lives = np.sort(rng.integers(0, 5, length))[::-1].astype(np.int64).copy()
    return rewards, lives, over


def scores(student, rng):
    """Scores of drawn records of games with several lives, large points and more than one game.

    The last ones have one step, end in their first or last one, hold points of any size, or lives
    that say nothing: none from the start, or the same to the end.
    """
    lengths = rng.integers(2, 60, 16)
    records = [_record(rng, int(t), int(rng.integers(1, t))) for t in lengths]
    records += [_record(rng, 1, 0), _record(rng, 5, 0), _record(rng, 60, 59), _record(rng, 9, 8)]
    for lives in (0, 5):
        _, _, over = _record(rng, 60, int(rng.integers(20, 50)))
        rewards = student.domain.draw(rng, "rewards", 60)
        rewards[np.flatnonzero(over)[0]] = 7.0
        records.append((rewards, np.full(60, lives), over))
    # one argument alone is another one's, but for what it begins with
    first, second = (_record(rng, 12, int(end)) for end in rng.permutation(np.arange(2, 10))[:2])
    records += student.domain.replaced(first, second, alike="axes")
    largest = np.full(60, rng.choice([-1.0, 1.0]) * np.abs(rewards).max())
    records.append((largest, np.zeros(60, dtype=np.int64), np.arange(60) == 59))
    found = [student.episode_score(*record) for record in records]
    sizes = [np.abs(rewards).sum() for rewards, _, _ in records]
    return {"score": np.array(found), "score__scale": np.array(sizes)}
