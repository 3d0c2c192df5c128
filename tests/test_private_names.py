"""Tests hold what a program does, not how it is written: which private names they reach for.

Read from the syntax of every file of tests. A name with one leading underscore counts where it is
an attribute of anything but ``self`` or ``cls``, is imported, or is given as a text to
``monkeypatch.setattr``, ``getattr`` and their like.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
#: What is run as a submission, a reference or a course: it is graded and tests nothing.
PROGRAMS = (
    *("course", "programs", "training/course"),
    *("redteam/attacks", "redteam/course", "redteam/field"),
)
#: Private by their names, and documented interfaces of the standard library.
PUBLIC = {"_exit", "_getframe"}
BY_TEXT = {"setattr", "getattr", "hasattr", "delattr"}

#: file -> the private names that it reaches for; all others reach for none.
#:
#: Those of tests/tasks are helpers of the task's measure.py: worlds, inputs and exact values, which
#: a test compares with an independent derivation. A measurement shows their results only mixed with
#: those of a program. Renaming them would change the digest of measure.py, which makes the task's
#: stored runs and calibration stale; whoever changes a measure.py for another reason gives the
#: helpers that its tests use public names and shortens this list.
ALLOWED = {
    # torch counts the calls queued for absent devices nowhere else; they are no names of ours
    "collect/test_proxy.py": {"_queued_calls"},
    "tasks/test_a2c_update.py": {"_ending", "_flags"},
    "tasks/test_ae_linear_pca.py": {"_elongated", "_gap"},
    "tasks/test_bbvi_mixture.py": {"_density", "_kl", "_log_target", "_target"},
    "tasks/test_cvae_conditional.py": {"_law", "_log_law", "_log_model", "_pairs_of"},
    "tasks/test_dqn_mini_breakout.py": {"_play"},
    "tasks/test_grad_variance.py": {
        "_centred",
        "_in_order",
        "_steps_moments",
        "_term",
        "_two_kinds",
    },
    "tasks/test_marg_importance.py": {"_haphazard", "_moment"},
    "tasks/test_mdp_aliased_grid.py": {"_any", "_fewest", "_grid", "_picture", "_walk"},
    "tasks/test_mdp_bellman_eval.py": {"_mdp", "_rooms"},
    "tasks/test_mdp_value_iteration.py": {"_solved"},
    "tasks/test_nas_reward.py": {"_case"},
    "tasks/test_pg_baseline.py": {"_every_trajectory", "_table_scale"},
    "tasks/test_pg_baseline_cartpole.py": {"_play"},
    "tasks/test_pg_reinforce_cartpole.py": {"_play"},
    "tasks/test_pg_reinforce_loss.py": {"_every_trajectory"},
    "tasks/test_pixelrnn_lstm.py": {"_mild", "_read", "_uniforms"},
    "tasks/test_px_chain_nll.py": {"_every_image", "_ising", "_network", "_reach", "_rough_model"},
    "tasks/test_px_digits.py": {"_bits", "_drawn", "_network", "_nll", "_shapes", "_taps", "_turn"},
    "tasks/test_px_known_entropy.py": {
        "_drawn",
        "_every",
        "_ising",
        "_kept",
        "_layers",
        "_log_model",
        "_shapes",
        "_weights",
    },
    "tasks/test_px_mask.py": {"_positive", "_reach"},
    "tasks/test_px_rgb_order.py": {"_positive", "_reach", "_source", "_weights"},
    "tasks/test_px_sample_complete.py": {
        "_dense",
        "_log_p",
        "_pixel_cnn",
        "_probabilities",
        "_uniforms",
    },
    "tasks/test_q_learning_tabular.py": {"_mdp", "_record"},
    "tasks/test_reparam_sample.py": {"_sizes"},
    "tasks/test_vae_digits.py": {"_bound", "_shapes"},
    "tasks/test_vi_fit_and_amortise.py": {
        "_exponential",
        "_exponential_bound",
        "_linear",
        "_linear_gap",
    },
}


def reached(tree: ast.AST) -> Iterator[str]:
    """The private names that a file reaches for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            names = [] if own else [node.attr]
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names] + (node.module or "").split(".")
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in BY_TEXT:
            texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
            names = [text.split(".")[-1] for text in texts if isinstance(text, str)]
        else:
            continue
        yield from (name for name in names if is_private(name) and name not in PUBLIC)


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def test_no_test_reaches_for_a_private_name_but_those_that_are_listed() -> None:
    found = defaultdict(set)
    for path in TESTS.rglob("*.py"):
        name = path.relative_to(TESTS).as_posix()
        if not name.startswith(tuple(f"{folder}/" for folder in PROGRAMS)):
            for each in reached(ast.parse(path.read_text(encoding="utf-8"))):
                found[name].add(each)
    assert dict(found) == ALLOWED


def test_what_is_reached_for_is_seen() -> None:
    source = (
        "from harness.cli import _one\n"
        "ledger._two\n"
        "monkeypatch.setattr('harness.ledger._three', 1)\n"
        "monkeypatch.setattr(ledger, '_four', 1)\n"
        "getattr(ledger, '_five')\n"
        "self._own, cls._own, os._exit(1), ledger.__class__, _local\n"
        "from harness._six import seven\n"
    )
    found = set(reached(ast.parse(source)))
    assert found == {"_one", "_two", "_three", "_four", "_five", "_six"}
