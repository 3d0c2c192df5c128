"""Loops for ever, with every signal ignored."""

import signal

for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM, signal.SIGXCPU):
    signal.signal(number, signal.SIG_IGN)


def dqn_targets(rewards, q_next, terminated, truncated, gamma):
    raise SystemExit(0)


def dqn_loss(q, actions, targets):
    raise SystemExit(0)


def huber_loss(q, actions, targets, delta):
    while True:
        pass
