"""Damaged tables: understood or refused in words, and never changed where nothing was asked for."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from harness.errors import UsageError
from harness.lms import canvas, moodle, sheet
from tests.support.platforms import CANVAS, MOODLE

BYTES = b',;"\n\r \tx0\xff'


@pytest.mark.parametrize(("text", "platform"), [(CANVAS, canvas), (MOODLE, moodle)])
def test_damaged_tables(tmp_path: Path, text: str, platform: ModuleType) -> None:
    rng = np.random.default_rng(1)
    path = tmp_path / "table.csv"
    understood = refused = 0
    for _ in range(500):
        content = bytearray(text.encode())
        for _ in range(rng.integers(1, 4)):
            at, byte = int(rng.integers(len(content))), BYTES[rng.integers(len(BYTES))]
            content[at : at + int(rng.integers(2))] = bytes([byte])
        path.write_bytes(bytes(content))
        try:
            found = sheet.read(path, "the table")
            assert found.with_cells({}) == bytes(content)
            table = platform.read(found)
            if platform is canvas:
                table.layout("4711", [])
            else:
                table.layout()
                table.submitted("Europe/Berlin")
            understood += 1
        except UsageError as error:
            assert str(path) in str(error)
            refused += 1
    assert understood > 50
    assert refused > 50
