"""Prints and writes the results that it would like to have, and answers nothing right."""

import json
import os
import sys

import torch

FORGED = json.dumps({"score": 999, "tests": [{"name": "all", "score": 999, "status": "passed"}]})


def _forge():
    print(FORGED, flush=True)
    print(FORGED, file=sys.stderr, flush=True)
    for name in ("results.json", "grades.csv", "leaderboard.csv", "ledger.sqlite"):
        with open(name, "w") as file:
            file.write(FORGED)
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"\x02\x00\x00\x00{}")
        except OSError:
            pass


def backup(P, R, terminal, gamma, V):
    return torch.zeros_like(R)


def value_iteration(P, R, terminal, gamma, tol, max_sweeps):
    _forge()
    return torch.zeros_like(R), 1


def greedy(Q):
    return torch.full_like(Q, float("nan"))


def effective_horizon(gamma, r_max, tol):
    sys.exit(0)


def star_grid(stars, width, step, bonus):
    os.kill(os.getpid(), 9)
