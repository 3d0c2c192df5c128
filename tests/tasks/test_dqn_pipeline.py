"""The reference of dqn-pipeline against brute force, Gymnasium, and programs that cheat."""

import gymnasium
import numpy as np
import pytest
import torch

from harness.errors import ProgramError
from harness.records import Step
from harness.spec.checks import Stochastic
from harness.statistics import chi_square, two_stage
from tests.support.programs import ROOT, edited, load, load_module, outcomes

TASK = load("dqn-pipeline")
solution = load_module(ROOT / "reference" / "dqn-pipeline" / "solution.py")
DRAW = "        numbers = torch.randint(len(self._drawable()), (m,), generator=generator)"


def _frames(count, seed=0, shape=(2, 3)):
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(256, (count, *shape), generator=rng, dtype=torch.uint8)


class _Pictures(gymnasium.Env):
    """Shows given frames, one after the other, as a game of one episode."""

    def __init__(self, frames):
        self.frames = frames.numpy()
        self.observation_space = gymnasium.spaces.Box(0, 255, self.frames.shape[1:], np.uint8)
        self.action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        self.at = 0
        return self.frames[0], {}

    def step(self, action):
        self.at += 1
        return self.frames[self.at], 0.0, False, False, {}


@pytest.mark.parametrize("k", [1, 2, 4])
def test_stacks_are_those_of_gymnasium(k):
    frames = _frames(7)
    env = gymnasium.wrappers.FrameStackObservation(_Pictures(frames), k, padding_type="reset")
    stack = solution.FrameStack(k)
    for _ in range(2):
        shown, _ = env.reset()
        assert np.array_equal(stack.reset(frames[0]), shown)
        for frame in frames[1:]:
            shown, *_ = env.step(0)
            assert np.array_equal(stack.step(frame), shown)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_stacks_of_a_record_are_those_of_its_episodes(k):
    frames, starts = _frames(12), torch.arange(12) % 5 == 2
    stack = solution.FrameStack(k)
    shown = [
        stack.reset(frame) if start or place == 0 else stack.step(frame)
        for place, (frame, start) in enumerate(zip(frames, starts, strict=True))
    ]
    assert torch.equal(solution.stacks(frames, starts, k), torch.stack(shown))


def test_epsilon_of_the_nature_paper():
    """ε falls from 1 to 0.1 over the first million frames and stays there."""
    steps = torch.tensor([0, 500_000, 999_999, 1_000_000, 1_000_001, 50_000_000])
    found = solution.epsilon(steps, 1.0, 0.1, 1_000_000)
    torch.testing.assert_close(
        found, torch.tensor([1.0, 0.55, 0.1000009, 0.1, 0.1, 0.1], dtype=torch.float64)
    )


def test_epsilon_of_a_run_counts_the_steps_of_all_environments():
    ended = torch.rand(30, 4, generator=torch.Generator().manual_seed(0)) < 0.3
    found = solution.epsilons_of_run(ended, 1.0, 0.1, 60)
    assert torch.equal(found, solution.epsilon(4 * torch.arange(30), 1.0, 0.1, 60))


class _Counter(gymnasium.Env):
    """Counts steps up to a length; the observation is the count."""

    observation_space = gymnasium.spaces.Box(0, 99, (1,), np.float64)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, length):
        self.length = length

    def reset(self, *, seed=None, options=None):
        self.count = 0
        return np.zeros(1), {}

    def step(self, action):
        self.count += 1
        return np.full(1, float(self.count)), 1.0, self.count == self.length, False, {}


@pytest.mark.parametrize("same_step", [False, True])
def test_successors_of_gymnasium_s_environments_are_one_step_further(same_step):
    mode = gymnasium.vector.AutoresetMode
    envs = gymnasium.vector.SyncVectorEnv(
        [lambda length=length: _Counter(length) for length in (1, 3, 4)],
        autoreset_mode=mode.SAME_STEP if same_step else mode.NEXT_STEP,
    )
    before, _ = envs.reset()
    seen, arrived, final, ended = [], [], [], []
    for _ in range(14):
        after, _, over, _, info = envs.step(np.zeros(3, dtype=np.int64))
        last = np.full_like(after, -1.0)
        for column in np.flatnonzero(over) if same_step else ():
            last[column] = info["final_obs"][column]
        parts = (before, after, last, over)
        for record, part in zip((seen, arrived, final, ended), parts, strict=True):
            record.append(part.copy())
        before = after
    arrays = [torch.from_numpy(np.stack(part)) for part in (arrived, final, ended)]
    following, real = solution.successors(*arrays, same_step)
    states = torch.from_numpy(np.stack(seen))
    assert torch.equal(following[real], states[real] + 1)
    assert int((~real).sum()) == (0 if same_step else 7 + 3 + 2)


def _played(seed, entries):
    """(frame, action, reward, terminated, truncated) of random episodes, and their transitions.

    A transition is (numbers of the frames of s, of s', action, reward, terminated) for stacks
    of any size: all frames of its episode so far.
    """
    rng = np.random.default_rng(seed)
    stream, transitions = [], []
    frames = _frames(entries + 30, seed)
    while len(stream) < entries:
        begin, length, kind = len(stream), int(rng.integers(1, 9)), int(rng.integers(3))
        for step in range(length):
            number, last = begin + step, step == length - 1
            flags = (last and kind != 1, last and kind != 0)
            stream.append((frames[number], number % 18, float(number), *map(bool, flags)))
            span = list(range(begin, number + 2))
            transitions.append((span, number % 18, float(number), bool(flags[0])))
        stream.append((frames[len(stream)], 3, -5.0, False, False))
    return stream, transitions


@pytest.mark.parametrize(("capacity", "k"), [(1, 1), (2, 1), (3, 5), (8, 3), (17, 4), (40, 2)])
def test_memory_holds_what_an_unlimited_record_says(capacity, k):
    """Brute force: every transition ever played whose frames are all among the newest ones."""
    stream, transitions = _played(capacity, 60)
    memory = solution.Memory(capacity, k)
    for added, entry in enumerate(stream, start=1):
        count = memory.add(*entry)
        there = []
        for span, *rest in transitions:
            both = [span[:1] * k + span[:-1], span[:1] * k + span]
            stacks = [numbers[-k:] for numbers in both]
            needed = {number for numbers in stacks for number in numbers}
            if min(needed) >= added - capacity and max(needed) < added:
                there.append((*stacks, *rest))
        assert count == len(there)
        if not there:
            continue
        s, a, r, s_next, terminated = memory.look_up(torch.arange(count))
        for row, (before, after, action, reward, end) in enumerate(there):
            assert torch.equal(s[row], torch.stack([stream[i][0] for i in before]))
            assert torch.equal(s_next[row], torch.stack([stream[i][0] for i in after]))
            assert (a[row], r[row], terminated[row]) == (action, reward, end)


def test_the_draws_are_enough_for_the_declared_power():
    draws = TASK.spec.measurements["draws"].draws
    checks = [check for check in TASK.spec.checks_of("draws") if isinstance(check, Stochastic)]
    assert len(checks) == 2
    for check in checks:
        beta = two_stage.stage_beta(check.beta)
        required = chi_square.chi_square_required_n(
            check.nominal_alpha, beta, check.min_detectable, check.categories, check.dimensions
        )
        assert draws >= required


def _failed(new, *ids):
    """The ids of checks that an edited sampler does not pass."""
    checks = [check for check in TASK.spec.checks if check.id in ids]
    found = outcomes(TASK, edited(TASK, DRAW, new), checks, Step(1, 0))
    return {name for name, outcome in found if outcome.status != "PASS"}


SAMPLING = ("sample-rows", "sample-law", "sample-independence")
COUNT = "        count = len(self._drawable())\n"


@pytest.mark.parametrize(
    ("new", "check"),
    [
        (
            f"{COUNT}        u = torch.rand(m, generator=generator)\n"
            "        strata = ((torch.arange(m) + u) / m * count).long()\n"
            "        numbers = strata[torch.randperm(m, generator=generator)]",
            "sample-independence",
        ),
        (
            f"{COUNT}        numbers = torch.randint(min(count, 12), (m,), generator=generator)",
            "sample-law",
        ),
        (
            f"{COUNT}        some = torch.randint(count, (m,), generator=generator)\n"
            "        numbers = some[torch.arange(m) % 40]",
            "sample-rows",
        ),
        (
            f"{COUNT}        u = torch.rand(m, generator=generator)\n"
            "        numbers = (count * u**0.8).long()",
            "sample-law",
        ),
    ],
    ids=["strata", "twelve-oldest", "rows-repeated", "slanted"],
)
def test_samples_that_look_right_are_caught(new, check):
    assert check in _failed(new, *SAMPLING)


@pytest.mark.parametrize(
    "new",
    [
        "        numbers = torch.randint(len(self._drawable()), (m,))",
        "        self.calls = getattr(self, 'calls', 0) + 1\n"
        f"{COUNT}        drawn = torch.randint(count, (m,), generator=generator)\n"
        "        numbers = (drawn + self.calls) % count",
    ],
    ids=["global-generator", "state-of-its-own"],
)
def test_samples_come_from_the_generator_alone(new):
    with pytest.raises(ProgramError, match="other draws for a generator in the same state"):
        _failed(new, "sample-rows")


def test_a_buffer_that_is_shared_by_all_stacks_is_caught():
    """As a frame stack that returns its own buffer does, whose results are put into a list."""
    old = "    return frames[torch.maximum(slots, b[:, None])]"
    new = """\
    buffer, kept = frames[0].repeat(k, 1, 1), []
    for place, frame in enumerate(frames):
        buffer.copy_(torch.cat([buffer[1:], frame[None]]))
        if starts[place]:
            buffer.copy_(frame.repeat(k, 1, 1))
        kept.append(buffer)
    return torch.stack(kept)"""
    program = edited(TASK, old, new)
    checks = [check for check in TASK.spec.checks if check.id == "stacks"]
    statuses = [outcome.status for _, outcome in outcomes(TASK, program, checks)]
    assert statuses == ["FAIL"]


def test_frames_as_numbers_between_zero_and_one_are_refused():
    program = edited(
        TASK,
        "    return frames[torch.maximum(slots, b[:, None])]",
        "    return frames[torch.maximum(slots, b[:, None])].float() / 255",
    )
    checks = [check for check in TASK.spec.checks if check.id == "stacks"]
    with pytest.raises(ProgramError, match="uint8"):
        list(outcomes(TASK, program, checks))
