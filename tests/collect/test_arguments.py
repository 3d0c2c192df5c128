"""Served environments: what is counted, and what a program may not do with them."""

import numpy as np
import pytest

from harness.collect.arguments import Served
from harness.errors import ProgramError


class Coins:
    """Pays the action; every third step ends all episodes, in one row by truncation."""

    num_envs = 2

    def reset(self, *, seed=None):
        self.seed, self.steps = seed, 0
        return np.zeros((2, 3), dtype=np.float32), {}

    def step(self, actions):
        self.steps += 1
        ended = np.array([self.steps % 3 == 0, False])
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


def test_an_episode_that_a_reset_abandons_counts():
    env = served()
    for _ in range(2):  # the second one abandons nothing
        env.answer("reset", ())
    step(env, [2, 1])
    env.answer("reset", ())
    for _ in range(3):
        step(env, [1, 1])
    env.answer("reset", ())  # both have ended and not begun again
    assert env.returns == [2.0, 1.0, 3.0, 3.0]
    assert [episode.steps for episode in env.episodes] == [1, 1, 3, 3]
    ends = ["reset", "reset", "terminated", "truncated"]
    assert [episode.end for episode in env.episodes] == ends
    assert [episode.ended_at for episode in env.episodes] == [2, 2, 8, 8]


@pytest.mark.parametrize(("mode", "steps"), [("NextStep", [3, 3, 2, 2]), ("SameStep", [3] * 4)])
def test_the_step_that_begins_an_episode_is_none_of_it(mode, steps):
    env = served()
    env.env.metadata = {"autoreset_mode": mode}
    env.answer("reset", ())
    for _ in range(6):
        step(env, [1, 1])
    assert [episode.steps for episode in env.episodes] == steps


def test_a_step_beyond_the_budget_is_not_made():
    env = served(max_steps=5)
    env.answer("reset", ())
    step(env, [0, 0])
    assert step(env, [0, 0]).message == {"ok": True}
    assert not env.spent
    for _ in range(2):
        said = "the budget of 2 calls of env.step() (5 steps of 2 sub-environments) is used up"
        frame = step(env, [0, 0])
        assert frame.message == {
            "ok": False,
            "spent": True,
            "message": f"{said}; no further step is made",
        }
        assert (frame.arrays, env.spent, env.steps, env.calls) == ((), True, 4, 2)
    assert env.env.steps == 2


def test_a_program_that_never_plays_is_told():
    env = served()
    env.answer("reset", ())
    (said,) = env.notices()
    assert "no step of the environment that was handed over" in said
    assert "gymnasium.make, is another one" in said
    step(env, [0, 0])
    assert list(env.notices()) == []


@pytest.mark.parametrize(("between", "resets", "all_"), [(1, 8, 8), (3, 0, 10), (5, 8, 18)])
def test_a_program_that_keeps_resetting_is_told(between, resets, all_):
    """Both episodes end in the third step; the fourth begins others, which the fifth is one of."""
    env = served()
    for _ in range(5):
        env.answer("reset", ())
        for _ in range(between):
            step(env, [1, 1])
    assert sum(episode.end == "reset" for episode in env.episodes) == resets
    assert len(env.episodes) == all_
    said = [f"{resets} of {all_} episodes were ended by reset() while they were running"]
    assert [sentence.split(";")[0] for sentence in env.notices()] == (said if between == 1 else [])


@pytest.mark.parametrize(
    ("actions", "came"), [([0, 4], "1 was given 4"), ([-1, 0], "0 was given -1")]
)
def test_actions_outside_the_range_are_told_to_the_program(actions, came):
    env = served()
    env.answer("reset", ())
    said = f"actions lie in 0..3; sub-environment {came}"
    assert step(env, actions).message == {"ok": False, "message": said}
    assert env.steps == 0


def test_actions_that_are_no_whole_numbers_are_refused():
    env = served()
    env.answer("reset", ())
    assert env.answer("step", (np.zeros(2),)).message["ok"] is False
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
