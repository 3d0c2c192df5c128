"""What is measured of dqn-atari: whole games of Pong that the grader owns, and the score of a game.

The environments live here; the program only sees frames and answers actions. Every environment has
a seed of its own and plays one whole game; what it does afterwards is not looked at.
"""

import hashlib

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


def play(student, rng, n):
    """Undiscounted, unclipped returns of n whole games, one for each seed."""
    from ale_py.vector_env import AtariVectorEnv

    knobs = {name: value for name, value in PROTOCOL.items() if name != "game"}
    envs = AtariVectorEnv(PROTOCOL["game"], n, batch_size=n, num_threads=1, **knobs)
    seeds = rng.choice(2**31 - 1, n, replace=False)
    player = student.new("Player", student.file(CHECKPOINT))
    frames, _ = envs.reset(seed=seeds.astype(np.int64))
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
    envs.close()
    digests = np.array([int.from_bytes(game.digest()[:8], "big") for game in games], np.uint64)
    return {"return": returns, "return__trajectory": digests}


def scores(student, rng):
    """Scores of drawn records of games with several lives, large points and more than one game."""
    found, sizes = [], []
    for _ in range(20):
        length = int(rng.integers(2, 60))
        rewards = rng.integers(-4, 8, length) * rng.choice([0.5, 1.0, 10.0], length)
        over = np.zeros(length, dtype=bool)
        over[rng.choice(np.arange(1, length), min(2, length - 1), replace=False)] = True
        first = int(np.flatnonzero(over)[0])
        rewards[first] = 7.0  # the last step of a game is paid like any other
        lives = np.sort(rng.integers(0, 5, length))[::-1].astype(np.int64).copy()
        found.append(student.episode_score(rewards, lives, over))
        sizes.append(np.abs(rewards).sum())
    return {"score": np.array(found), "score__scale": np.array(sizes)}
