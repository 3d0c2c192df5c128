"""dqn-probe: what slips read on their probes, what knows nothing or too much, and who learns."""

from types import SimpleNamespace

import numpy as np
import pytest

from harness import environments
from harness.collect.bare import BareProgram
from harness.kinds import seed_success
from harness.records import COMMON, Step
from harness.seeds import PUBLIC_KEY
from harness.statistics import sequential
from tests.support.programs import (
    ROOT,
    honest_programs,
    load,
    load_module,
    sample,
    submission,
    variants_are_slow,
)

TASK = load("dqn-probe")
measure = load_module(ROOT / "tasks" / "dqn-probe" / "measure.py")
TRAINED = {check.id: check for check in TASK.spec.checks if check.kind == "seed-success"}
STATEMENT = " ".join(
    (ROOT / "tasks" / "dqn-probe" / "README.md").read_text(encoding="utf-8").split()
)


def seed_of(program, check, seed=0):
    """What one seed of a trained check comes to."""
    with BareProgram(TASK, program) as running:
        found = running.metrics(check.measurement, Step(COMMON.stage, seed), PUBLIC_KEY)
    return float(found[check.metric])


def mistake(name):
    return next(item.program for item in TASK.reference.mutants if item.mistake.name == name)


# --- who learns -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "program", variants_are_slow(honest_programs(TASK)), ids=lambda program: program.name
)
def test_an_honest_program_meets_every_limit(program):
    for check in TRAINED.values():
        assert seed_of(program, check) <= check.threshold / 2


#: Which trained checks a slip fails, and which it passes, as the statement says.
PATTERNS = {
    "truncation-is-termination": (
        {"time-limit"},
        {"auto-reset", "short-episodes", "four-states"},
    ),
    "resets-stored": ({"time-limit", "auto-reset"}, {"short-episodes", "four-states"}),
    "no-terminal-mask": ({"auto-reset"}, {"time-limit"}),
    "mean-over-actions": ({"auto-reset", "four-states"}, {"time-limit", "short-episodes"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PATTERNS)
def test_the_checks_that_fail_tell_the_slip(name):
    failed, passed = PATTERNS[name]
    for found, wanted in ((failed, True), (passed, False)):
        for check in found:
            limit = TRAINED[check].threshold
            assert (seed_of(mistake(name), TRAINED[check]) > limit) == wanted


@pytest.mark.parametrize(("name", "share"), [("truncation-is-termination", 5.263), ("", 10.0)])
def test_the_time_limit_reads_ten_or_half_of_it(name, share):
    """γ = .9, T = 10, by the reference, and by the reference with the slip.

    The last episode of a run is not over, so that fewer than a tenth of its steps are cut.
    """
    program = mistake(name) if name else TASK.reference.solution
    module = SimpleNamespace()
    exec(compile(program.files["dqn_probe.py"], "program", "exec"), vars(module))
    assert learnt(module) == pytest.approx(share, abs=0.4)


def learnt(module, gamma=0.9, length=10):
    """The mean value of the states of one time-limit probe, in units of its reward."""
    import torch

    probe = environments.draw("time-limit", rng := np.random.default_rng(2))
    generator = torch.Generator().manual_seed(3)
    agent = module.Agent(*probe.observation_shape, probe.actions, generator)
    agent.learn(probe.vector(rng, 32, length), 300, gamma, generator)
    values = agent.q(torch.from_numpy(probe.observations.copy()))
    return float(values.mean()) / probe.rules.rewards[0, 0, 0]


# --- cheats -----------------------------------------------------------------------------------


def rate(check, guess, seeds=40):
    """How often a program succeeds that answers ``guess(shape, gamma)`` without learning."""

    class Guesses:
        def __init__(self, actions):
            self.actions = actions

        def learn(self, env, steps, gamma, generator):
            self.gamma = gamma

        def q(self, observations):
            return guess((len(observations), self.actions), self.gamma)

    student = SimpleNamespace(
        environment=environments.draw,
        generator=lambda: None,
        new=lambda name, width, actions, generator: Guesses(actions),
        serve=lambda env, shape, actions, steps: env,
    )
    function = getattr(measure, check.measurement)
    found = [
        float(function(student, np.random.default_rng([9, seed]))[check.metric])
        for seed in range(seeds)
    ]
    return np.mean(np.array(found) <= check.threshold)


@pytest.mark.parametrize("check", TRAINED.values(), ids=lambda check: check.id)
def test_numbers_known_at_home_gain_nothing(check):
    """The likeliest answers of one who knows the laws and not the instance."""
    assert rate(check, lambda shape, gamma: np.zeros(shape)) == 0
    assert rate(check, lambda shape, gamma: np.full(shape, 0.75 / (1 - gamma))) <= 0.2
    original = environments.draw("four-states", np.random.default_rng(0)).values(0.87)
    assert rate(check, lambda shape, gamma: np.resize(original, shape)) == 0


@pytest.mark.parametrize("answer", ["float('nan')", "float('inf')"])
def test_values_that_are_no_numbers_of_one_of_three_agents_do_not_succeed(answer):
    source = TASK.reference.solution.files["dqn_probe.py"].decode()
    old = "            return self.network(observations)\n"
    assert source.count(old) == 1
    spoilt = f"            return self.network(observations) + {answer} * (self.actions == 2)\n"
    program = submission(TASK, source.replace(old, spoilt))
    check = TRAINED["short-episodes"]
    assert not seed_of(program, check) <= check.threshold


# --- what is stored ---------------------------------------------------------------------------


def test_a_played_record_is_stored_as_the_rules_say():
    """Each transition of a random game is one of the tables, and none is missing."""
    import torch

    solution = load_module(ROOT / "reference" / "dqn-probe" / "solution.py")
    for name in TASK.spec.environments:
        probe = environments.draw(name, rng := np.random.default_rng(1))
        env = probe.vector(rng, 6, 4)
        first, _ = env.reset()
        actions = rng.integers(probe.actions, size=(50, 6))
        record = list(zip(*(env.step(row)[:4] for row in actions), strict=True))
        rewards, arrived, ends, cuts = (np.array(record[place]) for place in (1, 0, 2, 3))
        arrays = (first, actions, rewards, arrived, ends, cuts)
        s, a, r, after, d = solution.transitions(*map(torch.from_numpy, arrays))
        before, following = (np.argmax(x.numpy() @ probe.codes.T, axis=1) for x in (s, after))
        place = before, a.numpy(), following
        assert (probe.rules.moves[place] > 0).all()
        assert np.array_equal(probe.rules.rewards[place], r.numpy())
        assert np.array_equal(probe.rules.ends[place], d.numpy())
        assert len(r) == actions.size - (ends | cuts)[:-1].sum()


# --- how it is marked -------------------------------------------------------------------------


def test_the_statement_tells_when_seeds_suffice_and_what_they_reach():
    plan = seed_success.design(TRAINED["time-limit"])
    for outcome, last, status in ((True, 6, "pass"), (False, 5, "fail")):
        found = [sequential.state(plan, [outcome] * n).status for n in (last - 1, last)]
        assert found == ["open", status]
    assert sequential.operating(plan, 0.4).p_fail >= 0.95
    assert {check.threshold for check in TRAINED.values()} == {0.05, 0.15}
    assert "**at most 0.05** (*short episodes*: **at most 0.15**" in STATEMENT


def test_the_statement_shows_the_settings_of_the_measurement():
    for steps, gammas, _ in measure.SETTINGS.values():
        assert f"| {steps} | {gammas[0]:g} to {gammas[1]:g} |" in STATEMENT


def test_the_mistaken_sample_takes_truncation_for_termination():
    program = sample("mistaken", TASK)
    assert seed_of(program, TRAINED["time-limit"]) > 0.05
    assert seed_of(program, TRAINED["four-states"]) <= 0.05
