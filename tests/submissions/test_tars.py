"""Gzipped tar archives that lie: about names, kinds, sizes and ends."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
import zlib
from collections.abc import Iterable, Mapping

import pytest

from harness.submissions import Limits
from tests.support.archives import refusal_of, unpack

ELBO, WEIGHTS = "elbo.py", "policy.safetensors"
WANTED = frozenset({ELBO, WEIGHTS})
SOURCE = b"def f():\n    return 1\n"
END = bytes(1024)
MIB = 1 << 20


def header(
    name: str | bytes = ELBO,
    size: int = len(SOURCE),
    kind: bytes = b"0",
    fields: Mapping[int, bytes] | None = None,
) -> bytes:
    """A header block; ``fields`` are bytes by their place, under a checksum that is right."""
    block = bytearray(512)
    raw = name.encode() if isinstance(name, str) else name
    parts = {0: raw, 124: b"%011o\0" % size, 156: kind, 257: b"ustar\00000", **(fields or {})}
    for place, content in parts.items():
        block[place : place + len(content)] = content
    block[148:156] = b" " * 8
    if 148 not in parts:
        block[148:156] = b"%06o\0 " % sum(block)
    else:
        block[148 : 148 + len(parts[148])] = parts[148]
    return bytes(block)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def member(name: str | bytes = ELBO, content: bytes = SOURCE, kind: bytes = b"0") -> bytes:
    return header(name, len(content), kind) + padded(content)


def extended(*records: tuple[str, str], kind: bytes = b"x") -> bytes:
    content = b""
    for key, value in records:
        body = f" {key}={value}\n".encode()
        length = len(body) + 1
        while len(str(length)) + len(body) != length:
            length += 1
        content += str(length).encode() + body
    return member("pax", content, kind)


def packed(*blocks: bytes) -> bytes:
    return gzip.compress(b"".join(blocks), 1)


def tar(*blocks: bytes) -> bytes:
    return packed(*blocks, END)


def taken(data: bytes) -> dict[str, bytes]:
    contents, problems = unpack("a.tar.gz", data, WANTED, Limits())
    assert problems == []
    return contents


def refusal(data: bytes, limits: Limits | None = None) -> tuple[str, str]:
    cause, message = refusal_of("a.tgz", data, WANTED, limits)
    message.encode("utf-8")
    return cause, message


def test_the_builder_makes_archives_that_others_read() -> None:
    data = tar(extended(("path", "é/x")), member("short", b"x" * 600), member())
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.getnames() == ["é/x", ELBO]
    assert taken(data) == {ELBO: SOURCE}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_honest_ways_to_write_an_archive(form: int) -> None:
    stream = io.BytesIO()
    folder = "f" * 60 + "/" + "g" * 60
    with tarfile.open(fileobj=stream, mode="w:gz", format=form) as archive:
        top = tarfile.TarInfo("f" * 60)
        top.type = tarfile.DIRTYPE
        archive.addfile(top)
        files = {
            f"{'f' * 60}/{ELBO}": SOURCE,
            f"{folder}/x": b"",
            f"{'f' * 60}/{WEIGHTS}": b"\0" * 999,
        }
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.uname = len(content), 1.5, "é"
            archive.addfile(info, io.BytesIO(content))
    assert taken(stream.getvalue()) == {ELBO: SOURCE, WEIGHTS: b"\0" * 999}


def test_headers_that_change_nothing() -> None:
    comment = extended(("comment", "0123abc"), ("mtime", "1.5"), kind=b"g")
    charset = extended(("hdrcharset", "ISO-IR 10646 2000 UTF-8"), ("size", str(len(SOURCE))))
    assert taken(tar(comment, charset, member())) == {ELBO: SOURCE}
    assert taken(tar(member("x/", b"", b"5"), member("old/", b""), member())) == {ELBO: SOURCE}
    assert taken(tar(member("latin-\xe9".encode("latin-1"), b""), member())) == {ELBO: SOURCE}
    assert taken(tar(header(fields={124: b" 26 \0"}) + padded(SOURCE))) == {ELBO: SOURCE}
    assert taken(tar(header(fields={124: b"\x80" + bytes(10) + b"\x16"}) + padded(SOURCE)))


# Names


UNSAFE_NAMES = {
    "/elbo.py": "absolute path",
    "../elbo.py": "leaves",
    "a/../../elbo.py": "leaves",
    "C:elbo.py": "absolute path",
    "..\\elbo.py": "leaves",
}
ODD_NAMES = [
    *("A:B x.png", "C:/x", "C:\\x", "/x", "/hw/", "a\x1b[2J", "Icon\r", "a\u202eyp", "a\ufeff"),
    *("", ".", "n" * 1025, "n" * 60_000),
]


WAYS = {
    "plain": member,
    "prefix": lambda raw: header("y", 0, fields={345: raw}),
    "gnu": lambda raw: member("././@LongLink", raw + b"\0", b"L") + member("x"),
    "pax": lambda raw: extended(("path", raw.decode())) + member("x"),
}


def named(names: Iterable[str]) -> list[tuple[str, str]]:
    return [
        (name, way)
        for name in names
        for way in WAYS
        if way in ("gnu", "pax") or (len(name) < 90 and (way == "plain" or len(name) > 1))
    ]


@pytest.mark.parametrize(("name", "way"), named(UNSAFE_NAMES), ids=lambda text: ascii(text)[:30])
def test_unsafe_names(name: str, way: str) -> None:
    cause, message = refusal(tar(member(), WAYS[way](name.encode())))
    assert cause == "unsafe-archive"
    assert UNSAFE_NAMES[name] in message
    assert not set(message) & set("\0\x1b\n\x7f\x9b\u202e\u2066\u2028")
    assert len(message) < 250


@pytest.mark.parametrize(("name", "way"), named(ODD_NAMES), ids=lambda text: ascii(text)[:30])
def test_an_odd_name_costs_no_other(name: str, way: str) -> None:
    assert taken(tar(WAYS[way](name.encode()), member())) == {ELBO: SOURCE}


def test_a_backslash_separates_folders() -> None:
    assert taken(tar(member("hw1\\src\\elbo.py"))) == {ELBO: SOURCE}


def test_an_archive_in_an_archive_is_a_folder() -> None:
    assert taken(tar(member("in.tgz", tar(member("a/in.tar.gz", tar(member())))))) == {ELBO: SOURCE}


@pytest.mark.parametrize("twin", ["ELBO.PY", "\uff45lbo.py"])
def test_a_file_with_nearly_the_wanted_name_costs_nothing(twin: str) -> None:
    for order in ((member(), member(twin)), (member(twin), member())):
        assert taken(tar(*order)) == {ELBO: SOURCE}


@pytest.mark.parametrize("twin", ["elbo.py", "./elbo.py"])
def test_twins_of_a_wanted_file(twin: str) -> None:
    for order in ((member(), member(twin)), (member(twin), member())):
        assert refusal(tar(*order))[0] == "unsafe-archive"


def test_a_member_has_one_name() -> None:
    long = member("././@LongLink", b"other.py\0", b"L")
    path = extended(("path", "other.py"))
    for first in (long, path):
        for second in (long, path):
            assert "two names" in refusal(tar(first, second, member()))[1]


def test_a_name_without_a_member() -> None:
    long = member("././@LongLink", b"other.py\0", b"L")
    for alone in (long, extended(("path", "other.py")), extended(("size", "3"))):
        assert "has no member" in refusal(tar(member(), alone))[1]


# Kinds


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"6", b"7", b"D", b"M", b"N", b"V", b"Z"])
@pytest.mark.parametrize("size", [0, 600])
def test_what_is_no_file(kind: bytes, size: int) -> None:
    link = header(WEIGHTS, size, kind, {157: b"/etc/passwd"}) + padded(b"x" * size)
    assert "is a link or a device" in refusal(tar(member(), link))[1]


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"6", b"Z"])
def test_what_nobody_wants_costs_nothing(kind: bytes) -> None:
    link = header("venv/bin/python", 0, kind, {157: b"/usr/bin/python3"})
    assert taken(tar(link, member())) == {ELBO: SOURCE}


def test_a_long_link_target_belongs_to_a_link() -> None:
    target = member("././@LongLink", b"/etc/" + b"x" * 200 + b"\0", b"K")
    assert "is a link or a device" in refusal(tar(target, member(WEIGHTS, b"", b"2")))[1]
    assert "is a link or a device" in refusal(
        tar(extended(("linkpath", "/etc/passwd")), member(WEIGHTS, b"", b"1"))
    )[1]  # fmt: skip


@pytest.mark.parametrize(
    "block",
    [
        extended(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0")) + member(),
        extended(("GNU.sparse.map", "0,1"), ("GNU.sparse.size", "9" * 30)) + member(),
        extended(("GNU.sparse.realsize", "1"), kind=b"X") + member(),
    ],
    ids=["1.0", "0.1", "solaris"],
)
def test_sparse_members(block: bytes) -> None:
    cause, message = refusal(tar(block))
    assert (cause, "is sparse" in message) == ("unsafe-archive", True)
    _, problems = unpack("a.tgz", tar(block, member("other")), WANTED, Limits())
    assert [problem.file for problem in problems] == [ELBO]


@pytest.mark.parametrize(
    "block",
    [member(WEIGHTS, b"", b"S"), extended(("GNU.sparse.name", "x"), kind=b"g") + member()],
    ids=["old", "for all"],
)
def test_sparse_members_behind_which_nothing_is_certain(block: bytes) -> None:
    assert refusal(tar(block, member()))[0] == "unreadable-archive"


def test_a_folder_with_content() -> None:
    assert "is a folder with content" in refusal(tar(member(ELBO, SOURCE, b"5")))[1]
    assert "is a folder with content" in refusal(tar(member(ELBO + "/", SOURCE)))[1]
    assert taken(tar(member("x", SOURCE, b"5"), member())) == {ELBO: SOURCE}


def test_a_wanted_file_that_is_a_folder_too() -> None:
    assert "a file and a folder" in refusal(tar(member(), member("elbo.py/x")))[1]


# Sizes and other figures


SIZES = {
    "negative": b"\xff" * 12,
    "minus one block": b"\xff" * 10 + b"\xfe\0",
    "octal minus": b"-0000001000\0",
    "plus": b"+0000000001\0",
    "underscore": b"0000_000001\0",
    "prefix": b"0o000000001\0",
    "decimal": b"00000000009\0",
    "words": b"twenty-two\0\0",
    "space inside": b"0000 000026\0",
    "beyond": b"77777777777\0",
    "far beyond": b"\x80" + b"\xff" * 11,
    "neither form": b"\x81" + bytes(11),
}


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("kind", [b"0", b"5", b"L", b"x", b"g", b"2"])
def test_sizes_that_lie(name: str, kind: bytes) -> None:
    block = header(kind=kind, fields={124: SIZES[name]})
    assert refusal(tar(block + padded(SOURCE), member(WEIGHTS)))[0] == "unreadable-archive"


@pytest.mark.parametrize("size", [1537, 1 << 20, 1 << 60])
def test_a_member_that_ends_beyond_the_archive(size: int) -> None:
    field = b"\x80" + size.to_bytes(11, "big")
    cause, message = refusal(tar(header(fields={124: field}) + padded(SOURCE)))
    assert (cause, message) == (
        "unreadable-archive",
        "the archive is damaged: a member ends beyond the archive",
    )


@pytest.mark.parametrize(
    "size", ["0", "21", "23", "-22", "+22", " 22", "2_2", "99999999999999999999", "9" * 4000, "x"]
)
def test_a_second_size(size: str) -> None:
    cause, message = refusal(tar(extended(("size", size)), member()))
    assert cause == "unreadable-archive"
    assert "two sizes" in message or "not a number" in message


def test_a_wrong_checksum() -> None:
    for wrong in (b"000000\0 ", b"        ", b"\xff" * 8, b"7777777\0"):
        assert refusal(tar(header(fields={148: wrong}) + padded(SOURCE)))[0] == "unreadable-archive"


@pytest.mark.parametrize(
    "content",
    [
        b"2 2 2 2 = ",
        b"0 a=b\n",
        b"06 a=b\n",
        b"5 ab\n",
        b"99 a=b\n",
        b"6 a=b\n6 a=c\n",
        b"6 a=bX",
        b"1 ",
        b"1" * 60_000,
        b"9" * 60_000 + b" a=b\n",
        b"-6 a=b\n",
        b"\0" * 512,
    ],
    ids=lambda content: repr(content[:12]),
)
def test_extended_headers_that_are_no_records(content: bytes) -> None:
    for kind in (b"x", b"X", b"g"):
        damaged = tar(member("pax", content, kind), member())
        assert refusal(damaged)[0] == "unreadable-archive"


@pytest.mark.parametrize("key", ["path", "size", "linkpath", "hdrcharset"])
def test_a_header_for_all_members_changes_none(key: str) -> None:
    assert "for all members" in refusal(tar(extended((key, "22"), kind=b"g"), member()))[1]


def test_names_in_bytes_of_their_own() -> None:
    assert "not UTF-8" in refusal(tar(extended(("hdrcharset", "BINARY")), member()))[1]


def test_something_in_the_padding_of_a_header() -> None:
    hidden = header("pax", 6, b"x") + b"6 a=b\n15 path=evil\n".ljust(512, b"\0")
    assert "padding of a header" in refusal(tar(hidden, member()))[1]


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g"])
def test_a_header_of_more_than_64_kib(kind: bytes) -> None:
    content = b"n" * 70_000 if kind in b"LK" else b"70000 comment=" + b"n" * 69_985 + b"\n"
    assert len(content) == 70_000
    assert "more than 65536 bytes" in refusal(tar(member("x", content, kind), member()))[1]


# Ends


def test_every_beginning_of_an_archive_is_damaged() -> None:
    data = tar(member(), member(WEIGHTS, b"x" * 600))
    for length in range(len(data)):
        assert refusal(data[:length])[0] == "unreadable-archive"


def test_every_beginning_of_the_blocks_is_damaged() -> None:
    plain = b"".join([extended(("path", "é")), member("x"), member(), member(WEIGHTS, b"x" * 600)])
    for length in range(0, len(plain), 128):
        assert refusal(packed(plain[:length]))[0] == "unreadable-archive"


def test_an_end_of_one_block() -> None:
    assert taken(packed(member(), bytes(512))) == {ELBO: SOURCE}
    assert taken(packed(member(), bytes(10_240))) == {ELBO: SOURCE}


def test_what_follows_the_end() -> None:
    for tail in (b"x", member(WEIGHTS), bytes(5000) + b"x"):
        assert "what follows" in refusal(tar(member()) and packed(member(), END, tail))[1]


def test_what_follows_the_stream() -> None:
    data = tar(member())
    assert taken(data + bytes(70_000)) == {ELBO: SOURCE}
    for tail in (b"x", data, gzip.compress(b""), bytes(70_000) + b"x"):
        assert "more than one gzip stream" in refusal(data + tail)[1]


@pytest.mark.parametrize("at", [-8, -4, -1, 3, 9, 15])
def test_a_byte_of_the_stream_that_is_wrong(at: int) -> None:
    data = bytearray(tar(member()))
    data[at] ^= 0xFF
    if at == 9:  # which system it was written on
        assert taken(bytes(data)) == {ELBO: SOURCE}
    else:
        assert refusal(bytes(data))[0] == "unreadable-archive"


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b", b"PK\3\4", b"BZh9", b"\xfd7zXZ\0", b"ustar"])
def test_what_is_no_gzip(data: bytes) -> None:
    assert refusal(data)[0] == "unreadable-archive"


# Bombs


def peak_of(data: bytes) -> tuple[int, str]:
    tracemalloc.start()
    try:
        _, message = refusal(data)
        return tracemalloc.get_traced_memory()[1], message
    finally:
        tracemalloc.stop()


def bomb(name: str, size: int, *after: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(header(name, size))]
    parts += [packer.compress(bytes(MIB)) for _ in range(size // MIB)]
    return b"".join([*parts, packer.compress(b"".join(after)), packer.flush()])


def test_a_bomb_of_200_mib_costs_no_more_than_a_file_may_hold() -> None:
    data = bomb(WEIGHTS, 200 * MIB, END)
    assert len(data) < 250_000
    peak, message = peak_of(data)
    assert message == "policy.safetensors is larger than 8 MiB"
    assert peak < 3 * Limits().data_bytes


def test_a_large_file_that_nobody_wants_costs_nothing() -> None:
    data = bomb("dataset.bin", 200 * MIB, member(), END)
    tracemalloc.start()
    try:
        assert taken(data) == {ELBO: SOURCE}
        assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    finally:
        tracemalloc.stop()


def test_unpacking_stops_at_the_limit_and_not_a_piece_later() -> None:
    data = packed(bytes(60 * MIB))
    assert len(data) > 64 * 1024, "more than one piece"
    tracemalloc.start()
    try:
        assert "more than 1 MiB" in refusal(data, Limits(unpacked_bytes=MIB))[1]
        assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    finally:
        tracemalloc.stop()


def test_a_bomb_in_a_bomb_counts_like_one() -> None:
    inner = bomb("x", 10 * MIB, END)
    data = tar(member("in.tgz", tar(member("in.tgz", inner))))
    cause, message = refusal(data, Limits(unpacked_bytes=4 * MIB))
    assert cause == "empty"
    assert "unpacks to more than 4 MiB" in message


def test_many_members() -> None:
    many = [header(f"{number}", 0) for number in range(10_000)]
    assert taken(tar(*many, member())) == {ELBO: SOURCE}
    peak, message = peak_of(tar(*many * 6))
    assert message == "the archive has more than 50000 members"
    assert peak < 64 * MIB


@pytest.mark.parametrize("kind", [b"x", b"g", b"K"])
def test_headers_without_end(kind: bytes) -> None:
    one = member("x", b"" if kind != b"K" else b"x", kind)
    limits = Limits(archive_members=1000)
    message = refusal(tar(*[one] * 20_000, member()), limits)[1]
    assert message == "the archive has more than 1000 members"


def test_limits_count_what_is_unpacked() -> None:
    limits = Limits(unpacked_bytes=2048, archive_members=2)
    assert unpack("a.tgz", packed(member(), bytes(1024)), WANTED, limits)[0] == {ELBO: SOURCE}
    assert "unpacks to more than 2 KiB" in refusal(packed(member(), bytes(1025)), limits)[1]
    assert "more than 2 members" in refusal(
        tar(*(header(f"{number}", 0) for number in range(3))), Limits(archive_members=2)
    )[1]  # fmt: skip
