"""Every verb of a measurement, against programs in a real sandbox."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.contract import ContractError
from harness.errors import ProgramError

X = np.arange(6.0).reshape(3, 2)


@pytest.fixture
def student(lab):
    """The honest program; a sandbox has one trial at a time."""
    with lab.trial("honest", record=True) as student:
        yield student


class Counter:
    """Two games that pay one and a half times the action; both end after three steps."""

    num_envs = 2

    def reset(self, *, seed=None):
        self.seed, self.step_count = seed, 0
        return np.ones((2, 1)), {}

    def step(self, actions):
        self.step_count += 1
        ended = np.full(2, self.step_count % 3 == 0)
        return np.ones((2, 1)), actions * 1.5, ended, np.zeros(2, dtype=bool), {}


def cause_of(lab, name, call, **more):
    with pytest.raises(ProgramError) as caught:
        with lab.trial(name, **more) as student:
            call(student)
    return caught.value.cause, caught.value.message


# calls


def test_an_array_comes_back_as_the_program_made_it(student):
    found = student.square(X)
    assert found.dtype == np.float64
    assert (found == X**2).all()


def test_a_result_without_axes_is_an_array(student):
    found = student.product(X[0], X[1])
    assert (found.shape, found[()]) == ((), X[0] @ X[1])


def test_every_dtype_crosses_both_ways_bit_for_bit(student):
    sent = (
        np.array([math.nan, -0.0, math.inf]),
        np.array([1e-45, -0.0, math.nan], dtype=np.float32),
        np.array([-(2**63), 0, 2**63 - 1]),
        np.array([0, 128, 255], dtype=np.uint8),
        np.array([True, False, True]),
    )
    found = student.kinds(*sent)
    assert isinstance(found, tuple)
    assert [(a.dtype, a.tobytes()) for a in found] == [(a.dtype, a.tobytes()) for a in sent]


def test_scalars_are_plain_numbers(student):
    found = student.scalars(-3, 0.1, True, "né")
    assert found == (-1, 0.1, False)
    assert [type(item) for item in found] == [int, float, bool]
    found = student.scalars(i=2**40, x=1, b=False, s="")
    assert (found[0], type(found[1])) == (2**40, float)


@pytest.mark.parametrize("x", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7e308])
def test_any_float_crosses_as_an_argument(student, x):
    found = student.scalars(0, x, False, "")[1]
    assert np.float64(found).tobytes() == np.float64(x).tobytes()


def test_named_arguments_and_defaults(student):
    assert student.scaled(np.array(3.0)) == 6.0
    assert student.scaled(np.array(3.0), factor=5.0) == 15.0


def test_a_number_of_numpys_is_an_array_where_the_contract_says_so(student):
    assert student.scaled(np.float64(3.0)) == 6.0
    assert student.scaled(X[1, 1]) == 2 * X[1, 1]


def test_a_file_of_the_submission_is_named_by_its_path(student):
    assert student.read(student.file("data.bin")) == 7


@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.cube(X),
        lambda s: s.square(X.astype(np.float32)),
        lambda s: s.square(X[0]),
        lambda s: s.product(X[0], X[:, 0]),
        lambda s: s.scaled(np.array(1.0), scale=2.0),
        lambda s: s.scalars(1, 2.0, True),
        lambda s: s.new("Modell"),
        lambda s: s.new("Model"),
        lambda s: s.new("Model", 1.0).forward(X[0]),
        lambda s: s.vjp("square", (X,), (0,), np.ones(3)),
        lambda s: s.nothing(),
    ],
)
def test_a_call_that_the_contract_does_not_allow_is_no_fault_of_the_program(student, call):
    with pytest.raises(ContractError):
        call(student)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: s.kinds(*[np.zeros(1, t) for t in ("f8", "f4", "i8", "u1", "?")]), "got 4"),
        (lambda s: s.scalars(1, 1.0, True, ""), "result 1 of 3: expected int64"),
        (lambda s: s.product(X[0], X[0]), "expected float64 of shape [], got float32"),
    ],
)
def test_what_does_not_fit_the_contract_is_the_programs(lab, call, words):
    cause, message = cause_of(lab, "dishonest", call)
    assert cause == "bad-output"
    assert words in message


def test_a_result_over_the_limit_is_refused_by_its_size(lab):
    cause, message = cause_of(lab, "honest", lambda s: s.square(np.zeros((400, 400))))
    assert (cause, "too large" in message) == ("bad-output", True)


# gradients


def test_gradients_are_those_of_autograd(student):
    cotangent = np.array([[1.0, -1.0], [2.0, 0.0], [0.5, 3.0]])
    (found,) = student.vjp("square", (X,), (0,), cotangent)
    assert (found == 2 * X * cotangent).all()


def test_a_gradient_costs_no_import_of_sympy(lab):
    """Given an output and a cotangent, torch would import it in every worker, to compare shapes."""
    source = (
        "import sys\ndef square(x):\n    return x**2\n"
        "def read(path):\n    return int(path in sys.modules)\n"
    )
    with lab.trial("probe", source=source) as student:
        (found,) = student.vjp("square", (X,), (0,), X)
        assert (found == 2 * X * X).all()
        assert [student.read("sympy"), student.read("torch")] == [0, 1]


def test_an_argument_out_of_the_graph_has_gradient_zero_and_a_note(student):
    a, b = student.vjp("product", (X[0], X[1]), (0, 1), np.array(2.0))
    assert (a == 2 * X[1]).all()
    assert (b == 0).all()
    (entry,) = student.transcript
    assert (entry["call"], entry["cut"]) == ("gradient of product", ["b"])


def test_a_result_without_a_graph_has_gradient_zero_and_a_note(lab):
    with lab.trial("dishonest", record=True) as student:
        (found,) = student.vjp("square", (X,), (0,), np.ones_like(X))
        assert (found == 0).all()
        assert student.transcript[0]["cut"] == ["x"]


def test_gradients_of_another_dtype_are_refused(lab):
    cause, message = cause_of(
        lab, "dishonest", lambda s: s.vjp("product", (X[0], X[0]), (0,), np.array(1.0))
    )
    assert (cause, "expected torch.float64" in message) == ("bad-output", True)


# objects


def test_an_object_keeps_its_state_between_calls(student):
    model = student.new("Model", 2.0, offset=1.0)
    assert (model.predict(X[0]) == 2 * X[0] + 1).all()
    assert model.count() == 1
    other = student.new("Model", 3.0)
    assert other.count() == 0
    assert (student.predict(model, X[0]) == 2 * X[0] + 1).all()
    assert (model.count(), other.count()) == (2, 0)


def test_a_state_moves_from_one_object_to_another(student):
    first, second = student.new("Model", 2.0, offset=1.0), student.new("Model", 0.0)
    state = first.state()
    assert {name: array.tolist() for name, array in state.items()} == {"slope": 2.0, "offset": [1]}
    second.load({**state, "offset": np.array([5.0])})
    assert (second.predict(X[0]) == 2 * X[0] + 5).all()


def test_a_state_can_be_held_to_the_shapes_of_a_statement(lab):
    cause, message = cause_of(
        lab, "honest", lambda s: s.new("Model", 2.0).state({"slope": (), "bias": (1,)})
    )
    assert (cause, "bias is missing (wanted: slope, bias)" in message) == ("bad-output", True)


def test_what_is_no_module_has_no_state(lab):
    for call in (lambda s: s.new("Model", 1.0).state(), lambda s: s.new("Model", 1.0).load({})):
        cause, message = cause_of(lab, "dishonest", call)
        assert (cause, "no torch.nn.Module" in message) == ("bad-output", True)
    cause, message = cause_of(lab, "dishonest", lambda s: s.new("Model", 1.0).count())
    assert (cause, message) == ("missing-name", "the file does not define Model.count")


def test_a_given_function_has_its_parameters_filled_in(student):
    bowl = student.given("bowl", np.array([1.0, 2.0]), np.array(4.0))
    assert student.apply(bowl, np.array([3.0, 2.0])) == 1.0


# randomness


@pytest.mark.parametrize("name", ["noise", "numpy_noise"])
def test_independent_calls_differ_and_one_generator_repeats(student, name):
    calls = student.independent(name, 5, replicates=4)
    assert len({call.tobytes() for call in calls}) == 4
    one = student.generator()
    call = getattr(student, name)
    assert (call(5, one) == call(5, one)).all()


def test_global_generators_are_reseeded_before_every_call(lab):
    def draws():
        with lab.trial("honest") as student:
            return [student.global_noise(1) for _ in range(3)]

    first, second = draws(), draws()
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert len(np.unique(first)) == 9


def test_reseeding_is_that_of_torch_and_leaves_nothing_behind():
    """Calls queued for devices that are not there would pile up, call by call."""
    import torch

    from harness.worker import shim

    state = torch.get_rng_state()
    queued = [len(getattr(torch, name)._queued_calls) for name in ("cuda", "xpu", "mtia")]
    shim.reseed(123)
    drawn = torch.rand(5)
    if not torch.accelerator.is_available():
        assert queued == [
            len(getattr(torch, name)._queued_calls) for name in ("cuda", "xpu", "mtia")
        ]
    torch.manual_seed(123)
    assert (torch.rand(5) == drawn).all()
    torch.set_rng_state(state)


def test_independent_calls_may_use_the_global_generators(student):
    assert len(student.independent("global_noise", 2, replicates=3)) == 3


@pytest.mark.parametrize("name", ["noise", "numpy_noise", "global_noise"])
def test_draws_that_repeat_are_an_error_of_their_own(lab, name):
    cause, message = cause_of(lab, "dishonest", lambda s: s.independent(name, 4, replicates=2))
    assert cause == "reseeded"
    assert f"{name} returned the same draws" in message


@pytest.mark.parametrize(
    ("name", "draws"),
    [
        (
            "noise",
            "torch.randn(n, dtype=torch.float64, "
            "generator=torch.Generator().manual_seed(generator.initial_seed()))",
        ),
        (
            "numpy_noise",
            "torch.from_numpy(np.random.default_rng(generator.bit_generator.seed_seq).normal(size=n))",
        ),
    ],
)
def test_a_generator_made_of_the_seed_of_the_given_one_is_not_the_given_one(lab, name, draws):
    source = f"import numpy as np\nimport torch\ndef {name}(n, generator):\n    return {draws}\n"
    with pytest.raises(ProgramError) as caught, lab.trial(draws, source=source) as student:
        student.independent(name, 4, replicates=2)
    assert caught.value.cause == "reseeded"
    assert "from which a number had been drawn before" in caught.value.message


GLOBAL = "torch.randn(n, dtype=torch.float64)"
OWN = "torch.randn(n, dtype=torch.float64, generator=generator)"


@pytest.mark.parametrize(
    "draws",
    [
        GLOBAL,
        f"{OWN} + 1e-6 * {GLOBAL}",
        "torch.from_numpy(np.random.randn(n))",
        "torch.from_numpy(np.random.default_rng().normal(size=n))",
        "torch.tensor([random.random() for _ in range(n)], dtype=torch.float64)",
        "torch.distributions.Normal(0.0, torch.ones(n, dtype=torch.float64)).sample()",
        "torch.randn(n, dtype=torch.float64, generator=KEPT)",
        "torch.full((n,), float(time.perf_counter()), dtype=torch.float64)",
    ],
)
def test_draws_from_elsewhere_are_an_error_that_says_so(lab, draws):
    source = (
        "import random, time\nimport numpy as np\nimport torch\nKEPT = torch.Generator()\n"
        f"def noise(n, generator):\n    return {draws}\n"
    )
    with pytest.raises(ProgramError) as caught, lab.trial(draws, source=source) as student:
        student.independent("noise", 4, replicates=2)
    assert caught.value.cause == "reseeded"
    assert "noise returned other draws for a generator in the same state" in caught.value.message


def test_the_second_look_at_a_generator_changes_nothing_that_follows(lab):
    def after(first):
        with lab.trial("honest", record=True) as student:
            first(student)
            return student.global_noise(2), len(student.transcript)

    def plain(student):
        for _ in range(3):
            student.noise(4, student.generator())

    (noise, calls), (expected, expected_calls) = (
        after(lambda student: student.independent("noise", 4, replicates=3)),
        after(plain),
    )
    assert (noise == expected).all()
    assert calls == expected_calls


def test_draws_that_are_not_finite_are_left_to_the_checks(lab):
    source = (
        "def noise(n, generator):\n    return generator.get_state()[:n].double() * float('nan')"
    )
    with lab.trial("nan", source=source) as student:
        assert np.isnan(student.independent("noise", 2, replicates=2)).all()


# environments


def test_steps_and_returns_are_counted_by_the_grader(student):
    env = Counter()
    served = student.serve(env, (1,), 2, max_steps=100)
    assert student.play(served, 7) == (2, 21.0)
    assert (served.steps, served.returns) == (14, [4.5] * 4)
    assert env.seed == served.seed


def test_every_served_environment_has_a_seed_of_its_own(student):
    first, second = (student.serve(Counter(), (1,), 2, max_steps=9) for _ in range(2))
    assert first.seed != second.seed
    student.play(second, 1)
    assert (first.steps, second.steps) == (0, 2)


def test_a_budget_that_is_spent_ends_a_call_that_returns_results(lab):
    cause, message = cause_of(
        lab, "honest", lambda s: s.play(s.serve(Counter(), (1,), 2, max_steps=10), 6)
    )
    said = "the budget of 5 calls of env.step() (10 steps of 2 sub-environments) is used up"
    assert (cause, message.startswith(said), "(line 55 of" in message) == ("budget", True, True)


GREEDY = """
KEPT = []

def choose(env, action):
    env.reset()
    while True:
        {step}
        KEPT.append(1)

def square(x):
    return x * len(KEPT)
"""
PLAIN = "env.step([action, action])"


def test_a_training_that_goes_beyond_its_budget_ends_there_and_is_marked(lab):
    """`choose` returns a count; what it learnt, here the number of its steps, is still there."""
    with lab.trial("greedy", source=GREEDY.format(step=PLAIN)) as student:
        served = student.serve(env := Counter(), (1,), 2, max_steps=10)
        assert student.choose(served, 1) == 5
        np.testing.assert_array_equal(student.square(X), 5 * X)
        assert (served.steps, env.step_count) == (10, 5)
        assert student.notice == (
            "the budget of 5 calls of env.step() (10 steps of 2 sub-environments) was used up and "
            "more asked for; choose ended there, and what was learnt so far is marked"
        )


def test_a_trial_says_what_became_of_its_environments(lab):
    """Twice the same of two of them is said once."""
    with lab.trial("idle", source="def choose(env, action):\n    return 0\n") as student:
        assert student.notice == ""
        for _ in range(2):
            student.choose(student.serve(Counter(), (1,), 2, max_steps=10), 1)
        assert student.notice.startswith("no step of the environment that was handed over was made")
        assert student.notice.count("no step") == 1


def test_a_training_may_catch_that_its_budget_is_spent(lab):
    step = f"try: {PLAIN}\n        except RuntimeError: return 17"
    with lab.trial("greedy", source=GREEDY.format(step=step)) as student:
        assert student.choose(student.serve(Counter(), (1,), 2, max_steps=10), 1) == 17
        assert student.notice == ""


def test_an_error_that_only_says_so_is_no_end_of_a_budget(lab):
    """The worker's word is not enough: the grader counts."""
    body = (
        "        from harness.worker.explanation import BudgetSpent\n"
        "        raise BudgetSpent('12 units')"
    )
    source = GREEDY.format(step=f"\n{body}")
    cause, message = cause_of(
        lab,
        "greedy",
        lambda s: s.choose(s.serve(Counter(), (1,), 2, max_steps=10), 1),
        source=source,
    )
    assert (cause, message.startswith("12 units")) == ("budget", True)


@pytest.mark.parametrize("action", [-1, 2, 10**9])
def test_a_bad_action_is_an_exception_in_the_program(lab, action):
    def call(student):
        student.choose(student.serve(Counter(), (1,), 2, max_steps=10), action)

    cause, message = cause_of(lab, "honest", call)
    came = f"ValueError: actions lie in 0..1; sub-environment 0 was given {action}"
    assert (cause, came in message) == ("exception", True)


# what is remembered of a displayed example


def test_a_transcript_names_arguments_and_shows_results(student):
    student.scalars(1, math.inf, True, "s")
    student.noise(3, student.generator())
    first, second = student.transcript
    assert first["args"] == [["i", 1], ["x", "inf"], ["b", True], ["s", "s"]]
    assert first["results"] == [2, "inf", False]
    (name, generator) = second["args"][1]
    assert second["args"][0] == ["n", 3]
    assert (name, set(generator)) == ("generator", {"seed"})


def test_a_transcript_is_bounded_and_only_made_on_request(lab):
    with lab.trial("honest", record=True) as student:
        student.square(np.zeros((100, 50)))
        assert student.transcript[0]["results"] == ["float64 array of shape [100, 50]"]
        for _ in range(100):
            student.square(X)
        assert len(student.transcript) == 64
    with lab.trial("honest") as student:
        student.square(X)
        assert student.transcript == []
