"""A random affine map of every image: what makes known images new ones.

The law keeps digits legible, while one binary image in a thousand stays what it was:
8 of 64 pixels change on average.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: Raised when other images come of the same generator.
LAW = 1

_TURN = np.deg2rad(12.0)  # to either side
_STRETCH = 0.1  # of ln(size), each axis by itself
_SHEAR = 0.15
_SHIFT = 0.06  # of the side of an image, half a pixel of 8


def deformed(pixels: Array, rng: np.random.Generator) -> Array:
    """Each image under a random affine map about its centre, interpolated linearly.

    What lies beyond the border is black. All amounts are uniform between minus and plus their
    largest.

    Args:
        pixels: float64 ``[n h w]``.

    Returns:
        float64 ``[n h w]``; values stay within those of the image and 0.
    """
    from scipy import ndimage  # here, since reading the specs need not load it

    count, *size = pixels.shape
    turn, shear = rng.uniform(-1, 1, (2, count)) * [[_TURN], [_SHEAR]]
    stretch = np.exp(rng.uniform(-_STRETCH, _STRETCH, (count, 2)))
    shift = rng.uniform(-_SHIFT, _SHIFT, (count, 2)) * size
    centre = (np.array(size) - 1) / 2
    result = np.empty_like(pixels)
    for index in range(count):
        cos, sin = np.cos(turn[index]), np.sin(turn[index])
        back = np.array([[cos, -sin], [sin, cos]]) @ [[1.0, shear[index]], [0.0, 1.0]]
        back = back * stretch[index]
        offset = centre + shift[index] - back @ centre
        ndimage.affine_transform(pixels[index], back, offset, output=result[index], order=1)
    return result
