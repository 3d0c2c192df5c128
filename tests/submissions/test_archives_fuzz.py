"""Thousands of damaged archives: a reader answers or refuses, and holds little while it does."""

from __future__ import annotations

import io
import random
import struct
import tarfile
import tracemalloc
import unicodedata
import zipfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from harness.errors import ArchiveError
from harness.submissions import Limits
from tests.support.archives import unpack

ELBO, WEIGHTS = "elbo.py", "policy.safetensors"
WANTED = frozenset({ELBO, WEIGHTS})
LIMITS = Limits(
    source_bytes=2048, data_bytes=4096, total_bytes=8192, unpacked_bytes=64 * 1024,
    archive_members=20,
)  # fmt: skip
FILES = {"top/" + ELBO: b"def f():\n    return 1\n", "top/" + WEIGHTS: bytes(3000), "top/é": b"x"}
DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
CAUSES = {"unsafe-archive", "unreadable-archive"}
#: What can be wrong with single files of an archive that can be read.
OF_FILES = {"empty", "too-large", "not-text", "syntax", "missing-file", "duplicate-file"}
OF_FILES |= {"unsafe-file"}
MOST = 1 << 20  # bytes held at once, beside the archive

# the same examples in every run; too slow an example says only that the machine is busy
FUZZ = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def zips() -> list[bytes]:
    made = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        for long_sizes in (False, True):
            stream = io.BytesIO()
            with zipfile.ZipFile(stream, "w", method) as archive:
                for name, content in FILES.items():
                    with archive.open(name, "w", force_zip64=long_sizes) as member:
                        member.write(content)
                archive.comment = b"a comment" * long_sizes
            made.append(stream.getvalue())
    return made


def tars() -> list[bytes]:
    made = []
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
            for name, content in {**FILES, "top/" + "n" * 90 + "/m": b""}.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        made.append(stream.getvalue()[: 512 * 24])
    return made


ZIPS, TARS = zips(), tars()
NUMBERS = [0, 1, 2, 22, 0xFF, 0x100, 0x7FFF, 0xFFFF, 1 << 20, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF]
TEXTS = [
    *(b"", b"-1", b"+1", b"-0000001000", b"77777777777", b"00000000030", b"9" * 12, b"\xff" * 12),
    *(b"\x80" + b"\xff" * 11, b"\x80" + bytes(10) + b"\1", b"../", b"/", b"elbo.py\0", b"\x1b[2J"),
]
KINDS = b"0\0123456789DKLMNSVXxgZ\xff"
PAX = [
    b"22 GNU.sparse.major=1\n",
    b"12 size=-99\n",
    b"99999 path=x\n",
    b"13 path=../x\n",
    b"5 a=\n",
]
RECORDS = {b"PK\1\2": 46, b"PK\3\4": 30, b"PK\5\6": 22}


def flip(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def splice(data: bytearray, chance: random.Random) -> None:
    start, to = chance.randrange(len(data)), chance.randrange(len(data))
    piece = bytes(data[start : start + chance.choice([1, 30, 46, 512, 1024])])
    data[to : to + chance.choice([0, len(piece)])] = piece


def remove(data: bytearray, chance: random.Random) -> None:
    if len(data) > 600:
        start = chance.randrange(len(data) - 513)
        del data[start : start + chance.choice([1, 2, 46, 512])]


def lie_in_a_zip(data: bytearray, chance: random.Random) -> None:
    """Another number in a field of one of the records."""
    signature, length = chance.choice(list(RECORDS.items()))
    places = [place for place in range(len(data)) if data[place : place + 4] == signature]
    if places:
        at = chance.choice(places) + 2 * chance.randrange(2, length // 2)
        number = chance.choice([*NUMBERS, len(data), len(data) - 1, chance.randrange(len(data))])
        if chance.random() < 0.5 or at + 4 > len(data):
            data[at : at + 2] = struct.pack("<H", number & 0xFFFF)
        else:
            data[at : at + 4] = struct.pack("<L", number)


def lie_in_a_tar(data: bytearray, chance: random.Random) -> None:
    """Another text in a field of a block, under a checksum that is right again."""
    start = 512 * chance.randrange(max(1, len(data) // 512))
    if len(data) < start + 512:
        return
    place = chance.choice([0, 100, 124, 136, 148, 156, 157, 257, 345])
    text = bytes([chance.choice(KINDS)]) if place == 156 else chance.choice(TEXTS)
    data[start + place : start + place + len(text)] = text
    if chance.random() < 0.2:
        data[start + 512 : start + 512] = chance.choice(PAX).ljust(512, b"\0")
    block = bytearray(data[start : start + 512])
    block[148:156] = b" " * 8
    data[start + 148 : start + 156] = b"%06o\0 " % sum(block)


Change = Callable[[bytearray, random.Random], None]
CHANGES: dict[str, list[Change]] = {
    ".zip": [flip, cut, splice, remove, *[lie_in_a_zip] * 4],
    ".tgz": [flip, cut, splice, remove, *[lie_in_a_tar] * 4],
}


def damaged(suffix: str, number: int, changes: int) -> bytes:
    """A valid archive, changed a few times; a tar in its blocks or in the stream around them."""
    chance = random.Random(number)
    data = bytearray(chance.choice(ZIPS if suffix == ".zip" else TARS))
    in_the_stream = suffix == ".tgz" and chance.random() < 0.2
    if in_the_stream:
        data = bytearray(zipped(data))
    for _ in range(changes):
        if data:
            chance.choice([flip, cut, splice] if in_the_stream else CHANGES[suffix])(data, chance)
    return bytes(data) if suffix == ".zip" or in_the_stream else zipped(data)


def zipped(data: bytes | bytearray) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def attempt(suffix: str, data: bytes) -> str:
    """Reads an archive; anything but an answer or an ArchiveError is a defect."""
    tracemalloc.start()
    try:
        contents, problems = unpack("a" + suffix, data, WANTED, LIMITS)
    except ArchiveError as error:
        assert error.cause in CAUSES
        assert not {*map(unicodedata.category, error.message)} & {"Cc", "Cs", "Zl", "Zp"}
        assert not {*map(unicodedata.bidirectional, error.message)} & DIRECTIONS
        assert len(error.message) < 250
        return error.cause
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < MOST
    assert set(contents) <= WANTED
    assert all(len(content) <= LIMITS.of(name) for name, content in contents.items())
    found = {problem.cause for problem in problems}
    assert found <= {*CAUSES, *OF_FILES}
    return min(found & CAUSES, default="read" if contents else "nothing")


SUFFIXES = st.sampled_from([".zip", ".tgz"])
NUMBER = st.integers(0, 2**64 - 1)


def check_damaged(suffix: str, number: int, changes: int) -> None:
    attempt(suffix, damaged(suffix, number, changes))


def check_random(suffix: str, start: bytes, content: bytes, wrapped: bool) -> None:
    data = start + content
    attempt(suffix, zipped(data) if wrapped and suffix == ".tgz" else data)


BEGINNINGS = st.sampled_from([b"", b"PK\3\4", b"PK\5\6", b"\x1f\x8b\x08\0\0\0\0\0\0\xff"])
given_damage = given(SUFFIXES, NUMBER, st.integers(1, 5))
given_bytes = given(SUFFIXES, BEGINNINGS, st.binary(max_size=1200), st.booleans())


def test_the_archives_that_are_damaged_are_good_ones() -> None:
    for data in ZIPS:
        assert attempt(".zip", data) == "read"
    for data in TARS:
        assert attempt(".tgz", zipped(data)) == "read"


def test_damage_is_of_many_kinds() -> None:
    for suffix in (".zip", ".tgz"):
        found = {attempt(suffix, damaged(suffix, number, 2)) for number in range(400)}
        assert found >= {"read", *CAUSES}


test_damaged_archives = settings(FUZZ, max_examples=5000)(given_damage(check_damaged))
test_random_bytes = settings(FUZZ, max_examples=1000)(given_bytes(check_random))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_a_hundred_thousand_archives(part: int) -> None:
    many = settings(FUZZ, derandomize=False, max_examples=5000)
    seed(part)(many(given_damage(check_damaged)))()
    seed(part)(settings(many, max_examples=1000)(given_bytes(check_random)))()
