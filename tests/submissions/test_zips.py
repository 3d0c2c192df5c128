"""Zip archives that lie: about names, sizes, places and ends."""

from __future__ import annotations

import io
import stat
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from harness.submissions import Limits
from tests.support.archives import refusal_of, unpack

ELBO, WEIGHTS = "elbo.py", "policy.safetensors"
WANTED = frozenset({ELBO, WEIGHTS})
SOURCE = b"def f():\n    return 1\n"
MIB = 1 << 20

LOCAL = ("version", "flags", "method", "time", "date", "crc", "packed", "size", "name", "extra")
CENTRAL = (
    *("made", "version", "flags", "method", "time", "date", "crc", "packed", "size"),
    *("name", "extra", "comment", "disk", "internal", "external", "start"),
)
END = ("disk", "first", "here", "count", "size", "start", "comment")


@dataclass
class Entry:
    """A member, with what its two headers say instead of the truth."""

    name: bytes | str = ELBO
    content: bytes = SOURCE
    packed: bytes | None = None
    flags: int = 0x800
    method: int = 8
    mode: int = stat.S_IFREG | 0o644
    extra: bytes = b""
    local: Mapping[str, int] = field(default_factory=dict)
    local_name: bytes | None = None
    central: Mapping[str, int] = field(default_factory=dict)

    def body(self) -> bytes:
        if self.packed is not None:
            return self.packed
        if self.method != 8:
            return self.content
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(self.content) + packer.flush()

    def raw_name(self) -> bytes:
        return self.name if isinstance(self.name, bytes) else self.name.encode()


def deflated(content: bytes) -> bytes:
    return Entry(content=content).body()


def zip_of(
    *entries: Entry, end: Mapping[str, int] | None = None, before: bytes = b"", after: bytes = b""
) -> bytes:
    """An archive of these members; ``before`` stands before its last record, ``after`` behind."""
    out, directory = bytearray(), bytearray()
    for entry in entries:
        name, body = entry.raw_name(), entry.body()
        truth = {
            "flags": entry.flags, "method": entry.method, "crc": zlib.crc32(entry.content),
            "packed": len(body), "size": len(entry.content), "name": len(name),
            "external": entry.mode << 16, "start": len(out), "extra": len(entry.extra),
        }  # fmt: skip
        local_name = name if entry.local_name is None else entry.local_name
        said = {**truth, "name": len(local_name), **entry.local}
        out += struct.pack("<4s5H3L2H", b"PK\3\4", *(said.get(key, 0) for key in LOCAL))
        out += local_name + entry.extra + body
        said = {**truth, "made": 3 << 8, "extra": 0, **entry.central}
        directory += struct.pack("<4s6H3L5H2L", b"PK\1\2", *(said.get(key, 0) for key in CENTRAL))
        directory += name
    count = len(entries)
    truth = {"here": count, "count": count, "size": len(directory), "start": len(out)}
    said = {**truth, **(end or {})}
    last = struct.pack("<4s4H2LH", b"PK\5\6", *(said.get(key, 0) for key in END))
    return bytes(out + directory) + before + last + after


def taken(data: bytes, limits: Limits | None = None) -> dict[str, bytes]:
    contents, problems = unpack("a.zip", data, WANTED, limits or Limits())
    assert problems == []
    return contents


def refusal(data: bytes, limits: Limits | None = None) -> tuple[str, str]:
    cause, message = refusal_of("a.zip", data, WANTED, limits)
    message.encode("utf-8")
    return cause, message


def peak_of(data: bytes, limits: Limits) -> tuple[int, dict[str, bytes], list[str]]:
    """The largest memory held beside the archive itself, and what came out."""
    tracemalloc.start()
    try:
        contents, problems = unpack("a.zip", data, WANTED, limits)
        return tracemalloc.get_traced_memory()[1], contents, [found.cause for found in problems]
    finally:
        tracemalloc.stop()


def test_the_builder_makes_archives_that_others_read() -> None:
    data = zip_of(Entry(), Entry("a/b.txt", b"x" * 500, method=0), after=b"")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [ELBO, "a/b.txt"]
    assert taken(data) == {ELBO: SOURCE}


class Pipe(io.RawIOBase):
    """A stream that cannot go back, so that sizes follow the members."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.data += bytes(data)  # type: ignore[call-overload]
        return len(bytes(data))  # type: ignore[call-overload]


@pytest.mark.parametrize("long_sizes", [False, True])
@pytest.mark.parametrize("seekable", [False, True])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_honest_ways_to_write_an_archive(long_sizes: bool, seekable: bool, method: int) -> None:
    stream = io.BytesIO() if seekable else Pipe()
    files = {"top/" + ELBO: SOURCE, "top/" + WEIGHTS: bytes(200_000), "top/empty.txt": b""}
    with zipfile.ZipFile(stream, "w", method) as archive:  # type: ignore[arg-type]
        archive.writestr("top/", b"")
        for name, content in files.items():
            with archive.open(name, "w", force_zip64=long_sizes) as member:
                member.write(content)
        archive.comment = b"with a comment: PK\5\6"
    data = stream.getvalue() if isinstance(stream, io.BytesIO) else bytes(stream.data)
    assert taken(data) == {ELBO: SOURCE, WEIGHTS: bytes(200_000)}


def test_a_folder_whose_name_is_not_utf_8() -> None:
    name = "Übung 1/".encode("cp437") + ELBO.encode()
    assert taken(zip_of(Entry(name, flags=0))) == {ELBO: SOURCE}


# Names

UNSAFE_NAMES = {
    "/elbo.py": "absolute path",
    "//host/elbo.py": "absolute path",
    "../elbo.py": "leaves",
    "a/../elbo.py": "leaves",
    "a/..": "leaves",
    "..": "leaves",
    "C:elbo.py": "absolute path",
    "c:/elbo.py": "absolute path",
    "..\\elbo.py": "leaves",
    "a\\..\\..\\elbo.py": "leaves",
    "\\\\host\\elbo.py": "absolute path",
    "c:\\elbo.py": "absolute path",
    "C:/hw/elbo.py": "absolute path",
    "A:B/elbo.py": "a letter and a colon are a drive",
    "/elbo.py/": "absolute path",
    "../a\x1b[2J\u202e": "leaves",
}
ODD_NAMES = [
    *("elbo.py\0.txt", "a\x1b[2J", "a\nb", "a\x7f", "a\x9b", "Icon\r", "a\u202eyp.oble"),
    *("A:B test.png", "C:note.txt", "C:\\note.txt", "c:/note.txt", "A:B/x.png", "a:", "A:/"),
    *("/note.txt", "//host/x", "\\x", "/hw/", "/elbo.py~", "A:elbo.py.bak"),
    *("a\u2066b", "a\u2028b", "a\u200fb", "\ufeffa", "", ".", "./.", "n" * 1025, "n" * 65_535),
]


@pytest.mark.parametrize("name", UNSAFE_NAMES, ids=lambda name: ascii(name)[:30])
def test_unsafe_names(name: str) -> None:
    cause, message = refusal(zip_of(Entry(), Entry(name)))
    assert cause == "unsafe-archive"
    assert UNSAFE_NAMES[name] in message
    assert not set(message) & set("\0\x1b\n\x7f\x9b\u202e\u2066\u2028")
    assert len(message) < 250


@pytest.mark.parametrize("name", ODD_NAMES, ids=lambda name: ascii(name)[:30])
def test_an_odd_name_costs_no_other(name: str) -> None:
    for order in ([Entry(), Entry(name)], [Entry(name), Entry()]):
        assert taken(zip_of(*order)) == {ELBO: SOURCE}


@pytest.mark.parametrize("name", ["hw1\\elbo.py", "hw 1\\src\\elbo.py", ".\\elbo.py"])
def test_a_backslash_separates_folders(name: str) -> None:
    other = Entry("hw1\\", b"", mode=stat.S_IFDIR)
    assert taken(zip_of(other, Entry(name))) == {ELBO: SOURCE}


def test_the_longest_name_is_read() -> None:
    assert taken(zip_of(Entry(), Entry("n" * 1024))) == {ELBO: SOURCE}


@pytest.mark.parametrize("twin", ["ELBO.py", "Elbo.PY", "\uff45lbo.py"])
def test_a_file_with_nearly_the_wanted_name_costs_nothing(twin: str) -> None:
    for order in ([Entry(), Entry(twin, b"1/0")], [Entry(twin, b"1/0"), Entry()]):
        assert taken(zip_of(*order)) == {ELBO: SOURCE}


@pytest.mark.parametrize("twin", ["./elbo.py", "elbo.py", "a/../elbo.py", ".\\elbo.py"])
def test_twins_of_a_wanted_file(twin: str) -> None:
    for order in ([Entry(), Entry(twin)], [Entry(twin), Entry()]):
        assert refusal(zip_of(*order))[0] == "unsafe-archive"


@pytest.mark.parametrize("twin", ["a/elbo.py", "a\\elbo.py"])
def test_a_wanted_file_in_two_folders(twin: str) -> None:
    cause, message = refusal(zip_of(Entry("b/elbo.py"), Entry(twin)))
    assert cause == "duplicate-file"
    assert message.endswith("was handed in 2 times: b/elbo.py and a/elbo.py; keep one of them")


def test_other_files_may_differ_in_case_alone() -> None:
    assert taken(zip_of(Entry(), Entry("README"), Entry("readme"))) == {ELBO: SOURCE}


@pytest.mark.parametrize("inside", ["elbo.py/x", "elbo.py/a/b"])
def test_a_wanted_file_that_is_a_folder_too(inside: str) -> None:
    assert "a file and a folder" in refusal(zip_of(Entry(), Entry(inside)))[1]
    prefixed = zip_of(Entry("top/elbo.py"), Entry("top/" + inside))
    assert "a file and a folder" in refusal(prefixed)[1]


def test_a_name_so_deep_that_nothing_else_fits() -> None:
    assert taken(zip_of(*(Entry("a/" * 500 + f"{number}") for number in range(999)), Entry()))


# Kinds


@pytest.mark.parametrize(
    "mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK, 0o070000]
)
def test_what_is_no_file(mode: int) -> None:
    for entry in (Entry(mode=mode | 0o777), Entry(mode=mode, central={"made": 0})):
        assert "is a link or a device" in refusal(zip_of(entry))[1]


@pytest.mark.parametrize("flags", [0x1, 0x41, 0x2000, 0x801])
def test_encrypted_members(flags: int) -> None:
    assert "is encrypted" in refusal(zip_of(Entry(flags=flags)))[1]


@pytest.mark.parametrize("method", [1, 6, 9, 12, 14, 93, 95, 98, 99])
def test_other_compressions(method: int) -> None:
    entry = Entry(method=method, packed=b"x", local={"packed": 1})
    assert "in another way than deflate" in refusal(zip_of(entry))[1]


@pytest.mark.parametrize(
    "entry",
    [
        Entry("venv/bin/python", b"/usr/bin/python3", mode=stat.S_IFLNK | 0o777),
        Entry("pipe", mode=stat.S_IFIFO),
        Entry("secret.pdf", flags=0x1),
        Entry("photo.jpg", method=14, packed=b"x", local={"packed": 1}),
    ],
    ids=["link", "pipe", "encrypted", "lzma"],
)
def test_what_nobody_wants_costs_nothing(entry: Entry) -> None:
    assert taken(zip_of(Entry(), entry)) == {ELBO: SOURCE}


def test_an_archive_in_an_archive_is_a_folder() -> None:
    inner = zip_of(Entry("a/elbo.py"))
    for _ in range(3):
        inner = zip_of(Entry("in.zip", inner))
    assert taken(inner) == {ELBO: SOURCE}


def test_no_archive_is_opened_beyond_the_depth() -> None:
    inner = zip_of(Entry())
    for _ in range(Limits().depth + 1):
        inner = zip_of(Entry("in.zip", inner))
    _, (problem,) = unpack("a.zip", inner, WANTED, Limits())
    assert "what lies deeper than 6 folders was not looked at" in problem.message


def test_a_bomb_of_archives_is_opened_to_a_limit() -> None:
    inner = zip_of(Entry("x.txt"))
    for _ in range(4):
        inner = zip_of(*(Entry(f"{number}.zip", inner) for number in range(16)))
    tracemalloc.start()
    try:
        assert taken(zip_of(Entry(), Entry("bomb.zip", inner))) == {ELBO: SOURCE}
        assert tracemalloc.get_traced_memory()[1] < 16 * MIB
    finally:
        tracemalloc.stop()


# Lies


OTHER = Entry("other.txt", b"y" * 100)
LONG = struct.pack("<2H2Q", 1, 16, len(SOURCE), len(deflated(SOURCE)))
LIES = {
    "name": (Entry(local_name=b"evil.py"), "disagree"),
    "longer name": (Entry(local_name=b"elbo.py/../x"), "disagree"),
    "method": (Entry(local={"method": 0}), "disagree"),
    "encryption": (Entry(local={"flags": 0x801}), "disagree"),
    "sum": (Entry(local={"crc": 1}), "disagree about its size"),
    "size": (Entry(local={"size": 1}), "disagree about its size"),
    "packed size": (Entry(local={"packed": 1}), "disagree about its size"),
    "no size": (Entry(local={"packed": 0, "size": 0, "crc": 0}), "disagree about its size"),
    "open and wrong": (Entry(flags=0x808, local={"size": 1}), "disagree about its size"),
    "long size": (Entry(local={"size": 0xFFFFFFFF}), "does not say its size"),
    "long and wrong": (
        Entry(local={"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF}, extra=LONG[:4] + bytes(16)),
        "disagree about its size",
    ),
    "long and cut": (Entry(local={"size": 0xFFFFFFFF}, extra=LONG[:12]), "does not say its size"),
    "place": (Entry(central={"start": 3}), "does not stand where"),
    "place far away": (Entry(central={"start": 0xFFFFFFFE}), "does not stand where"),
    "into the directory": (
        Entry(local={"packed": 9999}, central={"packed": 9999}), "reaches into the directory",
    ),
    "name into the directory": (Entry(local={"name": 0xFFFF}), "reaches into the directory"),
    "zip64 place": (Entry(central={"start": 0xFFFFFFFF}), "zip64"),
    "zip64 size": (Entry(central={"size": 0xFFFFFFFF}), "zip64"),
    "smaller": (Entry(local={"size": 9}, central={"size": 9}), "another size than it says"),
    "larger": (Entry(local={"size": 99}, central={"size": 99}), "another size than it says"),
    "both sums": (Entry(local={"crc": 1}, central={"crc": 1}), "checksum of a member is wrong"),
    "stored": (
        Entry(method=0, local={"size": 9}, central={"size": 9}), "another size than it says",
    ),
    "cut": (Entry(packed=deflated(SOURCE)[:-2]), "does not end where"),
    "tail": (Entry(packed=deflated(SOURCE) + b"tail"), "does not end where"),
    "nothing packed": (Entry(packed=b""), "does not end where"),
    "no deflate": (Entry(packed=b"\xff" * 30), "the archive is damaged"),
    "extra into the next": (Entry(central={"extra": 60}), "directory ends too early"),
    "comment into the end": (Entry(central={"comment": 5}), "directory ends too early"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_headers_that_lie(name: str) -> None:
    entry, words = LIES[name]
    cause, message = refusal(zip_of(entry, OTHER))
    assert cause == "unreadable-archive"
    assert words in message


ENDS = {
    "fewer": ({"here": 1, "count": 1}, "does not hold as many"),
    "more": ({"here": 3, "count": 3}, "ends too early"),
    "two counts": ({"here": 1}, "part of several"),
    "disk": ({"disk": 1}, "part of several"),
    "first disk": ({"first": 1}, "part of several"),
    "start": ({"start": 0}, "does not stand before its end"),
    "size": ({"size": 0}, "does not stand before its end"),
    "zip64 start": ({"start": 0xFFFFFFFF}, "zip64"),
    "zip64 size": ({"size": 0xFFFFFFFF}, "zip64"),
    "comment": ({"comment": 1}, "does not end as a zip archive does"),
    "empty": ({"here": 0, "count": 0}, "does not hold as many"),
}


@pytest.mark.parametrize("name", ENDS)
def test_ends_that_lie(name: str) -> None:
    end, words = ENDS[name]
    cause, message = refusal(zip_of(Entry(), OTHER, end=end))
    assert cause == "unreadable-archive"
    assert words in message


def test_an_end_for_more_than_4_gib() -> None:
    locator = b"PK\6\7" + bytes(16)
    for before in (locator, b"PK\6\6" + bytes(52) + locator):
        assert "zip64" in refusal(zip_of(Entry(), before=before))[1]


def test_what_stands_before_and_behind() -> None:
    data = zip_of(Entry())
    assert "does not end as a zip archive does" in refusal(data + b"\0")[1]
    assert "does not stand before its end" in refusal(b"#!/bin/sh\n" + data)[1]
    assert "does not stand before its end" in refusal(zip_of(Entry(), before=b"gap"))[1]


def test_an_archive_with_two_ends() -> None:
    inner = zip_of(Entry(), end={"comment": 22})[-22:]
    assert "has two ends" in refusal(zip_of(Entry())[:-22] + inner + zip_of()[-22:])[1]


def test_every_beginning_of_an_archive_is_damaged() -> None:
    data = zip_of(Entry(), Entry(WEIGHTS, bytes(99)))
    for length in range(len(data)):
        assert refusal(data[:length])[0] == "unreadable-archive"


# Bombs


def test_members_that_overlap() -> None:
    packed = deflated(bytes(1000))
    for starts in ((0, 0), (0, 10)):
        entries = [
            Entry(f"f{number}", bytes(1000), packed, central={"start": start})
            for number, start in enumerate(starts)
        ]
        assert refusal(zip_of(*entries))[0] == "unreadable-archive"
    twice = Entry(WEIGHTS, local_name=ELBO.encode(), central={"start": 0})
    assert refusal(zip_of(Entry(), twice))[0] == "unreadable-archive"


def test_a_member_that_quotes_the_headers_of_the_next() -> None:
    # Fifield's construction: every member holds the following members as a stored block
    kernel = deflated(bytes(100_000))
    inner = zip_of(Entry("b", bytes(100_000), kernel))
    header = inner[: 31 + len(kernel)]
    quoted = b"\0" + struct.pack("<2H", 31, 31 ^ 0xFFFF) + header[:31] + kernel
    outer = Entry("a", header[:31] + bytes(100_000), quoted)
    start = 31 + 5
    second = Entry("b", bytes(100_000), b"", central={"start": start, "packed": len(kernel)})
    assert "overlap" in refusal(zip_of(outer, second)[:])[1]


@pytest.mark.parametrize("name", [WEIGHTS, "other.bin"])
def test_a_bomb_of_200_mib_costs_no_more_than_a_file_may_hold(name: str) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(packer.compress(bytes(MIB)) for _ in range(200)) + packer.flush()
    assert len(packed) < 250_000
    sizes = {"size": 200 * MIB, "crc": 0}
    data = zip_of(Entry(), Entry(name, b"", packed, local=sizes, central=sizes))
    peak, contents, causes = peak_of(data, Limits())
    assert contents == {ELBO: SOURCE}
    assert causes == (["too-large"] if name == WEIGHTS else [])
    assert peak < 3 * Limits().data_bytes


def test_a_bomb_that_claims_to_be_small() -> None:
    packed = deflated(bytes(20 * MIB))
    data = zip_of(Entry(WEIGHTS, bytes(10), packed))
    tracemalloc.start()
    try:
        assert "another size than it says" in refusal(data)[1]
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()


def test_a_directory_of_too_many_members_is_not_walked() -> None:
    record = struct.pack("<4s6H3L5H2L", b"PK\1\2", *([0] * 9), 100, 0, 0, 0, 0, 0, 0) + b"n" * 100
    directory = record * 65_535
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65_535, 65_535, len(directory), 0, 0)
    data = directory + end
    tracemalloc.start()
    try:
        assert refusal(data)[1] == "the archive has more than 50000 members"
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()


def test_what_is_held_has_a_limit() -> None:
    stored = [
        Entry(f"{number}.zip", zip_of(Entry("x", bytes(MIB), method=0)), method=0)
        for number in range(9)
    ]
    limits = Limits(held_bytes=10 * MIB)
    assert taken(zip_of(Entry(), stored[0]), limits) == {ELBO: SOURCE}
    contents, _ = unpack("a.zip", zip_of(Entry("in/elbo.py"), *stored[:3]), WANTED, limits)
    assert contents == {"elbo.py": SOURCE}
    cause, message = refusal(zip_of(*stored, Entry("in.zip", zip_of(Entry()))), limits)
    assert (cause, "more than 10 MiB" in message) == ("empty", True)


def test_many_small_streams_are_unpacked_in_pieces() -> None:
    # empty stored blocks: much to read, nothing to show
    packed = b"\0\0\0\xff\xff" * 400_000 + b"\1\0\0\xff\xff"
    entries: Sequence[Entry] = [Entry(), Entry(WEIGHTS, b"", packed)]
    assert taken(zip_of(*entries)) == {ELBO: SOURCE, WEIGHTS: b""}
