"""The sets of images that come with the harness."""

from __future__ import annotations

import hashlib
import io
from functools import cache
from importlib import resources
from typing import Literal

import numpy as np

from harness.errors import InfrastructureError
from harness.images import deformation
from harness.images.records import Images

#: ``digits``: 1,797 handwritten digits of 8 by 8 pixels and 17 grey levels: the test part of E.
#: Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning
#: Repository 1998, doi 10.24432/C50P49, CC BY 4.0, in the order of scikit-learn's ``load_digits``.
Name = Literal["digits"]

_SHA256 = {"digits": "33f92d65e63e9fa22e30b961f29e5128cc379f9fa2924dea9a0aca9007dd4ebf"}
_BRIGHTEST = {"digits": 16}


@cache
def load(name: Name) -> Images:
    """A set by its name, not deformed; its arrays can't be written to.

    Raises:
        InfrastructureError: the file of the set is missing or is not what it was.
    """
    path = resources.files("harness.images") / f"{name}.npz"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InfrastructureError(f"{path}: {error.strerror}: install the harness anew") from error
    if hashlib.sha256(content).hexdigest() != _SHA256[name]:
        raise InfrastructureError(f"{path} was changed: install the harness anew")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        images = Images(arrays["pixels"] / _BRIGHTEST[name], arrays["labels"].astype(np.int64))
    for array in (images.pixels, images.labels):
        array.flags.writeable = False
    return images


def signature(name: Name) -> list[object]:
    """What the images of a set depend on, but for a generator: for digests of trials."""
    return [name, _SHA256[name], deformation.LAW]
