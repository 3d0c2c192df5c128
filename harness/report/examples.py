"""The numbers of examples that are too long to be read, as ``.npz`` files beside feedback.md.

Only visible checks have an example, and examples show the public instance (see
:mod:`harness.marking.feedback`), so nothing in these files is an instance that is marked.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from harness.arrays import decode_array
from harness.files import write_bytes
from harness.marking.gradebook import SubmissionGrade
from harness.records import Array
from harness.results import SubmissionReports

#: The time that a zip archive gives to what has none: equal arrays give equal bytes.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def npz(arrays: Mapping[str, Array]) -> bytes:
    """Arrays as ``numpy.load`` reads them; the same bytes for the same arrays."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _NO_TIME), content.getvalue())
    return stream.getvalue()


def write(row: SubmissionGrade, files: SubmissionReports) -> list[Path]:
    """Write the numbers that one submission's examples load; those of former examples go.

    Returns:
        The paths that were written.

    Raises:
        OSError: a file cannot be written or removed.
    """
    written = []
    for task in row.tasks:
        for verdict in task.verdicts:
            if verdict.example and "arrays" in verdict.example:
                encoded = verdict.example["arrays"].items()
                arrays = {name: decode_array(array) for name, array in encoded}
                path = files.folder / Path(verdict.example["file"]).name
                written.append(write_bytes(path, npz(arrays)))
    for former in set(files.examples) - set(written):
        former.unlink(missing_ok=True)
    return written
