"""Grading end to end: nothing depends on order, jobs, crashes or repetition."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from harness.ledger import Ledger

ROOT = Path(__file__).parents[1]
TASKS = ("elbo-gaussian-kl", "mdp-value-iteration", "reparam-sample")
PROGRAM_CODE = (0, 1)  # all pass, something does not: both are a finished run


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "feedback.key"
    path.write_text("5e" * 32 + "\n")
    return path


def command(results, key_file, *more, tasks=TASKS):
    chosen = [word for task in tasks for word in ("--task", task)]
    return [
        sys.executable,
        "-m",
        "harness",
        "grade",
        "submissions/complete",
        "submissions/mistaken",
        "--results",
        str(results),
        "--key-file",
        str(key_file),
        *chosen,
        *more,
    ]


def grade(results, key_file, *more, tasks=TASKS):
    done = subprocess.run(
        command(results, key_file, *more, tasks=tasks),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in PROGRAM_CODE, done.stderr
    return done


def marks(results):
    return (results / "grades.csv").read_bytes()


def digests(results, tasks=TASKS):
    """Trial and digest of every stored observation of these tasks."""
    with Ledger(results / "ledger.sqlite", "test") as ledger:
        found = [ledger.get(trial) for trial in sorted(ledger.trials())]
    return [(each.trial.digest, each.digest) for each in found if each.trial.task in tasks]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, key_file):
    results = tmp_path_factory.mktemp("undisturbed")
    grade(results, key_file, "--jobs", "1")
    return results


def test_more_jobs_and_one_task_after_another_give_the_same_bytes(undisturbed, tmp_path, key_file):
    """The last task alone, then the others in another order, by two jobs."""
    *first, last = TASKS
    grade(tmp_path, key_file, "--jobs", "2", tasks=[last])
    assert digests(tmp_path) == digests(undisturbed, [last])
    grade(tmp_path, key_file, "--jobs", "2", tasks=first[::-1])
    assert digests(tmp_path) == digests(undisturbed)
    grade(tmp_path, key_file, "--jobs", "2", tasks=TASKS[::-1])  # runs nothing: it shows all tasks
    assert marks(tmp_path) == marks(undisturbed)


def test_a_second_run_runs_nothing(undisturbed, key_file):
    before = digests(undisturbed)
    done = grade(undisturbed, key_file)
    assert "trials in" not in done.stderr
    assert digests(undisturbed) == before


def test_another_key_draws_other_instances(undisturbed, tmp_path):
    other = tmp_path / "other.key"
    other.write_text("a1" * 32)
    grade(tmp_path, other, tasks=TASKS[:1])
    found = {digest for _, digest in digests(tmp_path)}
    shared = found & {digest for _, digest in digests(undisturbed)}
    # what is drawn under the public key is common: the examples of failed checks
    assert shared
    assert found - shared


def kill_and_resume(tmp_path, key_file, kills, seed):
    rng = np.random.default_rng(seed)
    for _ in range(kills):
        with subprocess.Popen(
            command(tmp_path, key_file),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as running:
            time.sleep(float(rng.uniform(0.5, 9.0)))
            os.kill(running.pid, signal.SIGKILL)
    grade(tmp_path, key_file)


def test_a_run_that_was_killed_goes_on_to_the_same_grades(undisturbed, tmp_path, key_file):
    kill_and_resume(tmp_path, key_file, kills=1, seed=1)
    assert marks(tmp_path) == marks(undisturbed)
    assert digests(tmp_path) == digests(undisturbed)


@pytest.mark.slow
def test_a_run_killed_at_ten_moments_goes_on_to_the_same_grades(undisturbed, tmp_path, key_file):
    kill_and_resume(tmp_path, key_file, kills=10, seed=2)
    assert marks(tmp_path) == marks(undisturbed)
    assert digests(tmp_path) == digests(undisturbed)


def test_replay_finds_the_same_and_notices_a_changed_mark(undisturbed, key_file):
    again = [sys.executable, "-m", "harness", "replay", str(undisturbed), "--json"]
    options = ["--key-file", str(key_file), "--rerun", "--submission", "mistaken"]
    done = subprocess.run([*again, *options], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["identical"] is True
    with sqlite3.connect(undisturbed / "ledger.sqlite") as ledger:
        query = "select name, record from documents where name like 'class/%/mistaken'"
        name, text = ledger.execute(query).fetchone()
        record = json.loads(text.partition("\n")[0])
        record["tasks"]["elbo-gaussian-kl"]["verdicts"][0]["points"] += 1
        changed = json.dumps(record)
        ledger.execute("update documents set record = ? where name = ?", (changed, name))
    ledger.close()
    done = subprocess.run(
        [*again, "--key-file", str(key_file)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    (difference,) = json.loads(done.stdout)["differences"]
    assert (difference["submission"], difference["field"]) == ("mistaken", "points")
