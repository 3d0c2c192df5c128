"""The linear Gaussian toy model whose figures several tasks quote: x = W z + b + noise.

K = 2 latent dimensions, D = 3 of the data, noise of variance ETA in each. The numbers are drawn in
this order from one generator, so that every task that speaks of the toy means the same model.
"""

from __future__ import annotations

import numpy as np

_RNG = np.random.default_rng(0)
W, BIAS, X = _RNG.normal(size=(3, 2)), _RNG.normal(size=3), _RNG.normal(size=3)
ETA = 0.5
#: The poor q of the figures, N(MU, diag SIGMA²).
MU, SIGMA = np.array([0.3, -0.2]), np.array([0.6, 0.9])
