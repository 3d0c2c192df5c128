"""Served environments: what is counted, and what a program may not do with them."""

import numpy as np
import pytest

from harness.collect.arguments import Served
from harness.errors import ProgramError


class Coins:
    """Pays the action; every third step ends all episodes, in one row by truncation."""

    num_envs = 2

    def reset(self, *, seed=None):
        self.seed, self._step = seed, 0
        return np.zeros((2, 3), dtype=np.float32), {}

    def step(self, actions):
        self._step += 1
        ended = np.array([self._step % 3 == 0, False])
        cut = ended[::-1].copy()
        return np.ones((2, 3)), actions.astype(np.int32), ended, cut, {}


def served(max_steps=100):
    return Served(Coins(), (3,), 4, seed=7, max_steps=max_steps)


def step(env, actions):
    return env.answer("step", (np.array(actions, dtype=np.int64),))


def test_steps_episodes_and_returns_are_counted_on_this_side():
    env = served()
    first = env.answer("reset", ())
    assert first.arrays[0].dtype == np.float32
    assert env.env.seed == 7
    for _ in range(3):
        frame = step(env, [1, 3])
    assert env.steps == 6
    assert env.returns == [3.0, 9.0]
    observations, rewards, terminations, truncations = frame.arrays
    assert (observations.shape, rewards.dtype) == ((2, 3), np.float64)
    assert (terminations.tolist(), truncations.tolist()) == ([True, False], [False, True])


def test_a_reset_starts_the_running_returns_anew():
    env = served()
    env.answer("reset", ())
    step(env, [2, 2])
    env.answer("reset", ())
    for _ in range(3):
        step(env, [1, 1])
    assert env.returns == [3.0, 3.0]


def test_the_budget_of_steps_holds():
    env = served(max_steps=4)
    env.answer("reset", ())
    step(env, [0, 0])
    step(env, [0, 0])
    with pytest.raises(ProgramError, match="budget of 4 steps") as caught:
        step(env, [0, 0])
    assert caught.value.cause == "timeout"


@pytest.mark.parametrize("actions", [[0, 4], [-1, 0]])
def test_actions_outside_the_range_are_told_to_the_program(actions):
    env = served()
    env.answer("reset", ())
    assert step(env, actions).message == {"ok": False, "message": "actions lie in 0..3"}
    assert env.steps == 0


def test_a_step_before_reset_is_told_to_the_program():
    assert step(served(), [0, 0]).message["ok"] is False


@pytest.mark.parametrize(
    ("verb", "arrays"),
    [
        ("step", ()),
        ("step", (np.zeros(3, dtype=np.int64),)),
        ("close", ()),
        ("reset", (np.zeros(2),)),
    ],
)
def test_malformed_requests_break_the_protocol(verb, arrays):
    env = served()
    with pytest.raises(ProgramError) as caught:
        env.answer(verb, arrays)
    assert caught.value.cause == "protocol"
