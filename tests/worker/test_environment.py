"""The environment that a program is given is a Gymnasium vector environment, as at home."""

import numpy as np
import pytest

from harness.errors import ProgramError

PRELUDE = """
import copy, pickle
import gymnasium
import numpy as np
from gymnasium.wrappers import vector as wrappers
"""
#: Bodies of a function of ``env``; the environment has 3 rows, 2 components and 4 actions.
USES = {
    "isinstance": "assert isinstance(env, gymnasium.vector.VectorEnv)",
    "spaces": (
        "assert env.single_action_space == gymnasium.spaces.Discrete(4)\n"
        "assert env.single_observation_space.shape == (2,)\n"
        "assert env.action_space.shape == (3,) and env.observation_space.shape == (3, 2)\n"
        "assert env.observation_space.contains(env.reset()[0])"
    ),
    "what make_vec gives": (
        "home = gymnasium.make_vec('CartPole-v1', num_envs=3)\n"
        "names = [name for name in dir(gymnasium.vector.VectorEnv) if name[0] != '_']\n"
        "assert all(hasattr(env, name) for name in names)\n"
        "assert env.metadata['autoreset_mode'] is home.metadata['autoreset_mode']\n"
        "assert type(env.spec) is type(home.spec) and env.spec.max_episode_steps is None\n"
        "assert env.unwrapped is env and env.render_mode is None and not env.closed\n"
        "assert 'num_envs=3' in repr(env)"
    ),
    "actions that are sampled": "env.reset()\nenv.step(env.action_space.sample())",
    "actions as a list": "env.reset()\nenv.step([0, 1, 2])",
    "actions as tensors": (
        "import torch\nenv.reset()\nenv.step(torch.tensor([0, 1, 2]))\n"
        "env.step([torch.tensor(0), torch.tensor(1), torch.tensor(2)])"
    ),
    "truth values": "env.reset()\nassert env.step(np.array([True, False, True]))[1][0] == 1",
    "small numbers": "env.reset()\nenv.step(np.array([0, 1, 2], dtype=np.uint8))",
    "looking for more": (
        "assert not hasattr(env, 'envs') and getattr(env, 'state', None) is None\n"
        "assert not hasattr(env, '__len__')"
    ),
    "closing": "env.reset()\nenv.close()\nassert env.closed",
    "a seed": "env.reset(seed=3, options={})\nassert env.np_random_seed == 3",
    "statistics": (
        "wrapped = wrappers.RecordEpisodeStatistics(env)\nwrapped.reset()\n"
        "info = wrapped.step(np.array([3, 2, 1]))[-1]\n"
        "assert info['episode']['r'].tolist() == [3, 2, 1] and wrapped.unwrapped is env"
    ),
    "several wrappers": (
        "kinds = (wrappers.NormalizeObservation, wrappers.NormalizeReward, wrappers.ClipReward,\n"
        "    wrappers.FlattenObservation, wrappers.DictInfoToList)\n"
        "for kind in kinds:\n"
        "    wrapped = kind(env, -1, 1) if kind is wrappers.ClipReward else kind(env)\n"
        "    wrapped.reset()\n    wrapped.step(wrapped.action_space.sample())"
    ),
    "a wrapper of one's own": (
        "class Half(gymnasium.vector.VectorObservationWrapper):\n"
        "    def observations(self, observations):\n        return observations / 2\n"
        "assert (Half(env).reset()[0] == env.reset()[0] / 2).all()"
    ),
}


class Rows:
    """Pays the action; every step ends every episode."""

    num_envs = 3

    def reset(self, *, seed=None):
        return np.ones((3, 2)), {}

    def step(self, actions):
        ended = np.ones(3, dtype=bool)
        return np.ones((3, 2)), actions * 1.0, ended, ~ended, {}


def use(lab, body, *, env=None, dims=(2,)):
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    source = f"{PRELUDE}def choose(env, action):\n{lines}    return 0\n"
    with lab.trial("environment", source=source) as student:
        return student.choose(student.serve(env or Rows(), dims, 4, max_steps=99), 1)


@pytest.mark.parametrize("what", USES)
def test_what_is_done_with_a_vector_environment_at_home_works_here(lab, what):
    use(lab, USES[what])


def test_an_environment_says_more_of_itself_where_it_knows_it(lab):
    import gymnasium

    class Known(Rows):
        single_observation_space = gymnasium.spaces.Box(0, 255, (2,), np.uint8)
        spec = gymnasium.envs.registration.EnvSpec("Known-v3", max_episode_steps=7)

        def __init__(self):
            self.metadata = {"autoreset_mode": gymnasium.vector.AutoresetMode.SAME_STEP}

    body = (
        "assert env.single_observation_space == gymnasium.spaces.Box(0, 255, (2,), np.uint8)\n"
        "assert env.metadata['autoreset_mode'].value == 'SameStep'\n"
        "assert (env.spec.id, env.spec.max_episode_steps) == ('Known-v3', 7)"
    )
    use(lab, body, env=Known())


def test_what_spaces_draw_is_the_graders_seed_and_can_be_repeated(lab):
    body = "raise ValueError(str(env.action_space.sample()) + str(env.np_random.random()))"
    said = []
    for _ in range(2):
        with pytest.raises(ProgramError) as caught:
            use(lab, body)
        said.append(caught.value.message)
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("body", "remedy"),
    [
        ("env.reset()\nenv.step(1)", "one action for each of the 3"),
        ("env.reset()\nenv.step(None)", "one action for each of the 3.*; this is None"),
        ("env.reset()\nenv.step([[0], 1, 2])", "one action for each.*of different lengths"),
        ("env.reset()\nenv.step(np.zeros(7))", r"this one has shape \[7\]"),
        ("env.reset()\nenv.step([0.0, 0.7, 2.0])", "whole numbers from 0 to 3.*float64.* 0.0"),
        ("env.reset()\nenv.step([float('nan')] * 3)", "whole numbers from 0 to 3.*float64.* nan"),
        ("env.reset()\nenv.step(['a', 'b', 'c'])", "whole numbers from 0 to 3.*the first .*'a'"),
        ("env.reset()\nenv.step([0, 4, 1])", r"lie in 0\.\.3; sub-environment 1 was given 4"),
        ("env.reset()\nenv.step([0, 1, -1])", r"lie in 0\.\.3; sub-environment 2 was given -1"),
        ("env.unwrapped.envs[0].np_random", "no attribute 'envs'; the grader plays"),
        ("env.get_attr('state')", "no attribute 'get_attr'; the grader plays"),
        ("env._env.state", "no attribute '_env'; the grader plays"),
        ("env.reset()\nenv.step([[0], [1], [2]])", r"this one has shape \[3, 1\]"),
        ("copy.deepcopy(env)", "cannot be copied"),
        ("pickle.dumps(env)", "cannot be copied"),
        ("env.step([0, 1, 2])", "reset"),
    ],
)
def test_a_slip_is_an_exception_of_the_program_that_says_what_to_do(lab, body, remedy):
    with pytest.raises(ProgramError, match=remedy) as caught:
        use(lab, body)
    assert caught.value.cause == "exception"
