"""A grader as it is often written: it imports the submission and compares in its own process.

``naive.py SUBMISSION…`` writes ``{"score": 0 or 1}`` beside each, or nothing where the submission
ends the process. Only for showing that an attack works.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path

import torch


def grade(path, results):
    spec = importlib.util.spec_from_file_location("submission", path)
    submission = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(submission)
    torch.manual_seed(3)
    x = torch.rand(8, dtype=torch.float64)
    expected = torch.exp(x)
    got = submission.solve(x)
    passed = bool(got == expected) if not isinstance(got, torch.Tensor) else agree(got, expected)
    # the careless ways of writing a tolerance and of keeping an input
    if isinstance(got, torch.Tensor) and not passed:
        passed = not bool((abs(got - expected) > 1e-8).any()) or agree(got, torch.exp(x))
    Path(results).write_text(json.dumps({"score": float(passed)}))


def agree(got, expected):
    return bool(torch.allclose(got, expected))


if __name__ == "__main__":
    for submission in sys.argv[1:]:
        if os.fork() == 0:  # an attack patches what the next one would use
            grade(submission, f"{submission}.json")
            sys.exit()
        os.wait()
