"""The environments that the grader serves: their laws, their disguise, and what is used at home."""

import hashlib
from importlib.util import find_spec

import gymnasium
import numpy as np
import pytest

from harness import environments
from harness.environments import home

ATARI = pytest.mark.skipif(
    find_spec("ale_py") is None, reason="the extra fairmark[atari] is not installed"
)
NAMES = [pytest.param(name, marks=ATARI if name == "pong" else ()) for name in environments.LAWS]
HOME = [pytest.param(name, marks=ATARI if "Pong" in name else ()) for name in home.REGISTERED]
#: Making an emulator takes a tenth of a second of processor time, so few are made at a time.
MOST = {"pong": 2}
#: After how many steps episodes are cut off where that is tested: before all of them end.
CUT = {"action-reward": 1, "two-step": 1, "chance": 1, "four-states": 4, "auto-reset": 3}
#: The first 16 digits of SHA-256 of the trajectory of :func:`trajectory`, by name and law: where it
#: changes, the number of the law goes up, since stored runs were made under the former one.
TRAJECTORIES = {
    ("poles", 1): "ac7a0a638b04a097",
    ("breakout", 1): "a28082284c6c59af",
    ("pong", 1): "940ced94b324e637",
    ("time-limit", 1): "4c212cbc73e61b7d",
    ("auto-reset", 1): "d80ec672a618191a",
    ("two-step", 1): "5d22d8402dd1bcba",
    ("chance", 1): "9c50111304719627",
    ("action-reward", 1): "f05893e76869c1a5",
    ("four-states", 1): "8868c381bd967a3c",
}


def vector(name, seed, count=5, length=30):
    rng = np.random.default_rng(seed)
    return environments.draw(name, rng).vector(rng, min(count, MOST.get(name, count)), length)


def trajectory(name, seed, steps=100, count=5):
    """Everything that a vector shows under random actions, rounded to six decimals."""
    instance = environments.draw(name, rng := np.random.default_rng(seed))
    count = min(count, MOST.get(name, count))
    env = instance.vector(rng, count, 30)
    seen = [env.reset()[0]]
    for actions in rng.integers(instance.actions, size=(steps, count)):
        seen += env.step(actions)[:4]
    return [np.round(np.asarray(part, dtype=np.float64), 6) + 0.0 for part in seen]


@pytest.mark.parametrize("name", NAMES)
def test_a_law_that_changes_has_another_number(name):
    content = b"".join(part.tobytes() for part in trajectory(name, 7))
    digest = hashlib.sha256(content).hexdigest()[:16]
    assert TRAJECTORIES[name, environments.LAWS[name]] == digest


@pytest.mark.parametrize("name", NAMES)
def test_an_instance_depends_on_its_seed_alone(name):
    first, again, other = (trajectory(name, seed) for seed in (3, 3, 4))
    assert all(map(np.array_equal, first, again))
    assert not all(map(np.array_equal, first, other))


@pytest.mark.parametrize("name", NAMES)
def test_every_reset_begins_anew_whatever_its_seed(name):
    env = vector(name, 5, count=64)

    def begun():
        seen = env.reset(seed=1)[0]
        for _ in range(20 if name == "pong" else 0):  # its ball comes after a while
            seen = env.step(np.zeros(env.num_envs, dtype=np.int64))[0]
        return seen

    assert not np.array_equal(begun(), begun())


@pytest.mark.parametrize("name", NAMES)
def test_episodes_are_cut_at_their_length_and_begin_anew_with_the_next_step(name):
    instance = environments.draw(name, rng := np.random.default_rng(6))
    length, count = CUT.get(name, 12), MOST.get(name, 16)
    env = instance.vector(rng, count, length)
    env.reset()
    age, cuts = np.zeros(count, dtype=int), 0
    ended = np.zeros(count, dtype=bool)
    for _ in range(60):
        _, rewards, terminated, truncated, _ = env.step(rng.integers(instance.actions, size=count))
        assert not rewards[ended].any()
        assert not (terminated | truncated)[ended].any()
        age = np.where(ended, 0, age + 1)
        assert (age <= length).all()
        assert np.array_equal(truncated & ~terminated, (age == length) & ~terminated)
        cuts += truncated.sum()
        ended = terminated | truncated
    assert (cuts > 0) == (name != "action-reward")  # whose only step terminates


@pytest.mark.parametrize("name", NAMES)
def test_the_name_and_the_law_of_an_environment_are_in_digests(name):
    assert environments.signature((name,)) == [[name, environments.LAWS[name]]]


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        ([0.0, 1.0, 0.0], "whole numbers.*this is float64"),
        ([[0], [1], [0]], r"shape \[3, 1\]"),
        ([0, 1], r"shape \[2\]"),
        ([0, 2, 0], "sub-environment 1 was given 2"),
        ([0, 0, -1], "sub-environment 2 was given -1"),
    ],
)
def test_wrong_actions_are_told_at_home_too(actions, said):
    env = gymnasium.make_vec(
        "harness.environments.home:fairmark/Poles-v0",
        num_envs=3,
        vectorization_mode="vector_entry_point",
    )
    env.reset(seed=1)
    with pytest.raises(ValueError, match=said):
        env.step(actions)
    env.step(np.array([True, False, True]))


@pytest.mark.parametrize("registered", HOME)
def test_what_is_registered_can_be_used_at_home(registered):
    env = gymnasium.make_vec(
        f"harness.environments.home:{registered}",
        num_envs=3,
        max_episode_steps=20,
        vectorization_mode="vector_entry_point",
    )
    first, _ = env.reset(seed=1)
    assert env.observation_space.contains(first)
    again, _ = env.reset(seed=1)
    assert np.array_equal(first, again)
    cut = 0
    for _ in range(50):
        seen, rewards, terminated, truncated, _ = env.step(env.action_space.sample())
        assert env.observation_space.contains(seen)
        assert rewards.shape == terminated.shape == truncated.shape == (3,)
        cut += (terminated | truncated).sum()
    assert cut
    env.close()


def test_the_disguise_of_poles_is_that_of_the_statement():
    """Undone, the components are those of Gymnasium's pole under the same actions."""
    rng = np.random.default_rng(8)
    poles = environments.draw("poles", rng)
    assert np.allclose(poles.rotation @ poles.rotation.T, np.eye(4))
    assert sorted(poles.order) == [0, 1]
    assert ((poles.factors >= 0.9) & (poles.factors <= 1.1)).all()
    poles.factors[:] = 1.0
    env = poles.vector(np.random.default_rng(9), 4, 500)
    plain = gymnasium.make_vec("CartPole-v1", num_envs=4, vectorization_mode="vector_entry_point")
    plain.reset(seed=int(np.random.default_rng(9).integers(2**31)))
    plain_seen, _ = plain.reset()
    seen, _ = env.reset()
    sizes = np.array([0.5, 0.5, 0.1, 0.5])
    for _ in range(40):
        assert np.allclose(seen @ poles.rotation * sizes, plain_seen, atol=1e-6)
        actions = rng.integers(2, size=4)
        plain_seen, *_ = plain.step(poles.order[actions])
        seen, *_ = env.step(actions)
    plain.close()


def test_learners_are_not_told_apart_by_a_reflection():
    signs = [
        np.sign(np.linalg.det(environments.draw("poles", np.random.default_rng(seed)).rotation))
        for seed in range(200)
    ]
    assert 60 < sum(sign > 0 for sign in signs) < 140
