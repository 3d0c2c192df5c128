"""Published sets of images in files of the MNIST format, by name: from a folder, or downloaded.

None of them comes with the harness. A file counts only if its content is, byte for byte, what was
published, so that two courses that say ``mnist`` mean the same images; how it is packed does not
matter (Debian packs Fashion-MNIST anew).

No task uses one yet: this is the door for ``vae-digits`` and ``px-digits`` on MNIST.
"""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.errors import UsageError
from harness.images import idx
from harness.images.records import Images

Part = Literal["train", "test"]
PARTS: tuple[Part, ...] = ("train", "test")

_BRIGHTEST = 255
_TIMEOUT_S = 60
#: The files of each part, images first; Fashion-MNIST took over the names of MNIST.
_FILES: Mapping[Part, tuple[str, str]] = MappingProxyType(
    {
        "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
    }
)


@dataclass(frozen=True)
class Published:
    """One published set.

    Attributes:
        name: as people call it, and the folder that it may lie in.
        source: the address that its packed files lie below, with a slash at its end.
        sha256: the name of each file without ``.gz`` -> the SHA-256 of what it unpacks to.
    """

    name: str
    source: str
    sha256: Mapping[str, str]


#: Y. LeCun, C. Cortes, C. Burges, *The MNIST database of handwritten digits*.
MNIST = Published(
    "mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    MappingProxyType(
        {
            "train-images-idx3-ubyte": (
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
            ),
            "train-labels-idx1-ubyte": (
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
            ),
            "t10k-images-idx3-ubyte": (
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
            ),
            "t10k-labels-idx1-ubyte": (
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
            ),
        }
    ),
)
#: H. Xiao, K. Rasul, R. Vollgraf, *Fashion-MNIST*, arXiv 1708.07747, MIT licence.
FASHION_MNIST = Published(
    "fashion-mnist",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    MappingProxyType(
        {
            "train-images-idx3-ubyte": (
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
            ),
            "train-labels-idx1-ubyte": (
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
            ),
            "t10k-images-idx3-ubyte": (
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
            ),
            "t10k-labels-idx1-ubyte": (
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
            ),
        }
    ),
)
SETS: Mapping[str, Published] = MappingProxyType(
    {each.name: each for each in (MNIST, FASHION_MNIST)}
)


def read(published: Published, part: Part, folder: Path) -> Images:
    """One part of a set: brightness from 0 to 1, and labels.

    Raises:
        UsageError: as :func:`arrays`.
    """
    pixels, labels = arrays(published, part, folder)
    return Images(pixels / _BRIGHTEST, labels.astype(np.int64))


def arrays(
    published: Published, part: Part, folder: Path
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The grey levels ``[n h w]`` and labels ``[n]`` of one part of a set, as they are published.

    Its files lie in the folder or in one below it that is called as the set, packed or not.

    Raises:
        UsageError: a file is missing, damaged, or not the published one.
    """
    images, labels = _FILES[part]
    return _array(published, images, folder), _array(published, labels, folder)


def missing(published: Published, part: Part, folder: Path) -> bool:
    """Whether a file of a part is not in the folder."""
    return any(_found(published, name, folder) is None for name in _FILES[part])


def download(published: Published, part: Part, folder: Path) -> list[Path]:
    """Gets the files of a part that are not in the folder; nothing that is not published is kept.

    Returns:
        The paths of the files that were written.

    Raises:
        UsageError: the source cannot be reached, gives something else, or the folder cannot be
            written.
    """
    written = []
    for name in _FILES[part]:
        if _found(published, name, folder) is not None:
            continue
        address = f"{published.source}{name}.gz"
        content = _from_source(address)
        _checked(published, name, content, address)
        path = folder / published.name / f"{name}.gz"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".part")
            partial.write_bytes(content)
            os.replace(partial, path)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}: name another folder") from error
        written.append(path)
    return written


def _array(published: Published, name: str, folder: Path) -> NDArray[np.uint8]:
    path = _found(published, name, folder)
    if path is None:
        raise UsageError(
            f"{folder}: there is no {name}.gz of {published.name}; get it from "
            f"{published.source}, or with `doctor --data {folder} --download {published.name}`"
        )
    try:
        with path.open("rb") as stream:
            content = stream.read(idx.MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}: see its mode") from error
    return _checked(published, name, content, str(path))


def _found(published: Published, name: str, folder: Path) -> Path | None:
    places = (
        place / file for place in (folder / published.name, folder) for file in (f"{name}.gz", name)
    )
    return next((path for path in places if path.is_file()), None)


def _checked(published: Published, name: str, content: bytes, place: str) -> NDArray[np.uint8]:
    """The array of a file, if it is the published one."""
    unpacked = idx.unpacked(content, place)
    array = idx.parse(unpacked, place)
    digest, wanted = hashlib.sha256(unpacked).hexdigest(), published.sha256[name]
    if digest != wanted:
        raise UsageError(
            f"{place}: it is an idx file of shape {list(array.shape)}, but not {name} of "
            f"{published.name}: what it unpacks to has SHA-256 {digest}, wanted is {wanted}; get "
            f"it from {published.source}"
        )
    return array


def _from_source(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as stream:
            content: bytes = stream.read(idx.MOST_BYTES + 1)
    except (OSError, urllib.error.URLError) as error:
        raise UsageError(
            f"{address}: it cannot be had from here ({error}); get it on another machine and name "
            "its folder with --data"
        ) from error
    return content
