"""Probabilities along the last axis of an array: how they are drawn, and what is none.

A measurement that normalises rows itself may be off by rounding, which is no fault.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.spec.domain import LogSimplex, Simplex

Array = np.ndarray[Any, np.dtype[Any]]

#: What rounding may do to a sum, and to the smallest probability.
_SLACK = 1e-9


def drawn(law: Simplex | LogSimplex, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Rows of a Dirichlet law; in about a third of the rows one entry is the smallest there is.

    Where the smallest is not 0, it is in one row at least, if the last axis has room. Logarithms
    are spread evenly between the smallest and 0 before they are normalised, so that small ones come
    up as often as large ones.

    Args:
        law: the smallest probability, or its logarithm.
        shape: of the array; its last axis sums to one and has room for the smallest one.
    """
    least, count = law.smallest, shape[-1]
    if isinstance(law, LogSimplex):
        lowest = max(float(law.least), -700.0)
        weights = np.exp(rng.uniform(lowest, 0.0, shape))
    else:
        weights = rng.exponential(size=shape)
    rows = np.asarray(weights).reshape(-1, count)
    smallest = np.zeros(rows.shape, dtype=bool)
    if count > 1:
        chosen = np.flatnonzero(rng.random(len(rows)) < 1 / 3)
        if not chosen.size and law.least and len(rows):
            chosen = rng.integers(0, len(rows), 1)
        smallest[chosen, rng.integers(0, count, chosen.size)] = True
        rows[smallest] = 0.0
    p = least + (1 - count * least) * (rows / rows.sum(axis=-1, keepdims=True))
    if isinstance(law, LogSimplex):
        with np.errstate(divide="ignore"):
            p = np.log(p)
        p[smallest] = float(law.least)
    return np.asarray(p.reshape(shape))


def fault(law: Simplex | LogSimplex, values: Array) -> str:
    """What keeps rows [rows, n] from being probabilities, in words that follow "called with x".

    That is the first probability below the smallest, or the first sum that is not one; empty if
    there is none.
    """
    with np.errstate(all="ignore"):
        p = np.exp(values) if isinstance(law, LogSimplex) else values
        inside, sums = p >= law.smallest * (1 - _SLACK), p.sum(axis=-1)
        if not inside.all():
            return f"= {float(values[~inside].flat[0]):g}"
        away = ~(np.abs(sums - 1) <= _SLACK)
    return f"whose last axis sums to {float(sums[away][0]):.12g}" if away.any() else ""


def reaches_least(law: Simplex | LogSimplex, values: Array) -> bool:
    """Whether the smallest probability is among some values, up to rounding."""
    least = float(law.least)
    if least in (0.0, -np.inf):
        return bool((values == least).any())
    return bool((np.abs(values - least) <= _SLACK * abs(least)).any())


def sums_to_one(values: Array) -> bool:
    """Whether numbers [n] are probabilities or logarithms of such, up to rounding."""
    if not np.issubdtype(values.dtype, np.floating):
        return False
    with np.errstate(all="ignore"):
        return any((p >= 0).all() and abs(p.sum() - 1) <= _SLACK for p in (values, np.exp(values)))


def first_alike(old: Array, new: Array, otherwise: Array) -> Array:
    """The probabilities ``new`` [n], their first one that of ``old``, the others scaled.

    They sum to one again, up to rounding. The same is done with logarithms of probabilities.

    Args:
        otherwise: what is returned where they are neither.

    Returns:
        ``new`` itself where its first probability, or that of ``old``, leaves the others nothing.
    """
    if not np.issubdtype(new.dtype, np.floating):
        return otherwise
    for logarithms in (False, True):
        with np.errstate(all="ignore"):
            p, q = (np.exp(each) if logarithms else each for each in (old, new))
            if not all((each >= 0).all() and abs(each.sum() - 1) <= _SLACK for each in (p, q)):
                continue
            left, rest = 1 - p[0], q[1:].sum()
            if left <= _SLACK or rest <= _SLACK:
                return new
            mixed = np.concatenate([p[:1], q[1:] * (left / rest)])
            return np.log(mixed) if logarithms else mixed
    return otherwise
