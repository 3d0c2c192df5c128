"""Finding submissions, and taking from them nothing but the files that tasks ask for."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import json
import os
import stat
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.sandbox.folders import write_program
from harness.submissions import Limits, Submission, display, find
from tests.support.unprivileged import without_override

ELBO, POLICY, WEIGHTS = "elbo.py", "policy.py", "policy.safetensors"
WANTED = frozenset({ELBO, POLICY, WEIGHTS})
SOURCE = b"def f():\n    return 1\n"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def folder(path: Path, files: Mapping[str, bytes] | None = None) -> Path:
    path.mkdir(parents=True)
    for name, content in (files or {}).items():
        (path / name).write_bytes(content)
    return path


def only(path: Path, limits: Limits | None = None) -> Submission:
    (submission,) = find([path], WANTED, limits)
    return submission


def causes(submission: Submission) -> list[tuple[str, str | None]]:
    return [(problem.cause, problem.file) for problem in submission.problems]


def zipped(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def zipped_member(path: Path, info: zipfile.ZipInfo, content: bytes = SOURCE) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(ELBO, SOURCE)
        archive.writestr(info, content)
    return path


def tarred(path: Path, files: Mapping[str, bytes], *extra: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in extra:
            archive.addfile(info)
    return path


def tar_info(name: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = "/etc/passwd"
    return info


# Where submissions are


def test_a_folder_with_a_wanted_file_is_one_submission(tmp_path: Path) -> None:
    files = {ELBO: SOURCE, WEIGHTS: b"\0\1", "notes.txt": b"x", "conftest.py": b"1/0"}
    submission = only(folder(tmp_path / "v1.2", files))
    assert submission.name == submission.display_name == "v1.2"
    assert submission.files == {ELBO: digest(SOURCE), WEIGHTS: digest(b"\0\1")}
    assert submission.sha256 == digest(json.dumps(sorted(submission.files.items())).encode())
    assert submission.problems == ()


def test_a_folder_of_submissions(tmp_path: Path) -> None:
    for name in ("bob", "alice", ".hidden", "__pycache__", "__MACOSX"):
        folder(tmp_path / name, {ELBO: SOURCE})
    folder(tmp_path / "empty")
    folder(tmp_path / "other", {"Elbo.PY": SOURCE})
    (tmp_path / "README.md").write_text("not a submission")
    (tmp_path / "elbow.py").write_bytes(SOURCE)
    zipped(tmp_path / "carol.zip", {ELBO: SOURCE})
    tarred(tmp_path / "dan.tar.gz", {ELBO: SOURCE})
    tarred(tmp_path / "eve.TGZ", {ELBO: SOURCE})
    (tmp_path / "fay.7z").write_bytes(b"7z")
    found = {submission.name: causes(submission) for submission in find([tmp_path], WANTED)}
    assert found == {
        "alice": [],
        "bob": [],
        "carol": [],
        "dan": [],
        "elbow": [("missing-file", ELBO), ("empty", None)],
        "empty": [("empty", None)],
        "eve": [],
        "fay": [("unreadable-archive", None)],
        "other": [("missing-file", ELBO), ("empty", None)],
    }


def test_a_near_miss_is_named(tmp_path: Path) -> None:
    submission = only(folder(tmp_path / "all" / "alice", {"Elbo.py": SOURCE}).parent)
    of_the_file, of_all = submission.problems
    assert of_the_file.message == "elbo.py was not submitted; found Elbo.py"
    assert of_all.message.endswith("was Elbo.py meant to be elbo.py?")


def test_a_lone_file(tmp_path: Path) -> None:
    path = folder(tmp_path / "x", {ELBO: SOURCE}) / ELBO
    submission = only(path)
    assert (submission.name, submission.files) == ("elbo", {ELBO: digest(SOURCE)})


def test_the_same_files_have_the_same_digest_however_packed(tmp_path: Path) -> None:
    files = {ELBO: SOURCE, WEIGHTS: b"\0\1"}
    found = [
        only(folder(tmp_path / "a", files)),
        only(zipped(tmp_path / "b.zip", {"top/" + name: files[name] for name in files})),
        only(tarred(tmp_path / "c.tgz", {"./" + name: files[name] for name in files})),
    ]
    assert len({submission.sha256 for submission in found}) == len({"one"})
    assert all(submission.contents == files for submission in found)


def test_several_paths_keep_their_order(tmp_path: Path) -> None:
    paths = [folder(tmp_path / name, {ELBO: SOURCE}) for name in ("b", "a")]
    assert [submission.name for submission in find(paths, WANTED)] == ["b", "a"]


def test_a_lone_file_of_numbers(tmp_path: Path) -> None:
    submission = only(folder(tmp_path / "x", {WEIGHTS: b"\0\1"}) / WEIGHTS)
    assert (submission.name, submission.files) == ("policy", {WEIGHTS: digest(b"\0\1")})


def test_a_relative_path_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder(tmp_path / "alice", {ELBO: SOURCE}))
    assert only(Path(".")).name == "alice"


def test_a_path_given_by_hand_may_be_a_link(tmp_path: Path) -> None:
    target = folder(tmp_path / "real", {ELBO: SOURCE})
    (tmp_path / "link").symlink_to(target)
    submission = only(tmp_path / "link")
    assert (submission.name, causes(submission)) == ("link", [])


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path is short enough to be shown whole."""
    with tempfile.TemporaryDirectory(prefix="s-") as name:
        yield Path(name)


def test_two_submissions_of_one_name(short: Path) -> None:
    folder(short / "alice", {ELBO: SOURCE})
    zipped(short / "alice.zip", {ELBO: SOURCE})
    with pytest.raises(UsageError, match=r"two submissions are called alice: .*alice.zip; rename"):
        find([short], WANTED)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone", "gone does not exist; give a submission or a folder of submissions"),
        ("none", "none holds no submission; put one folder a submission into it"),
        ("notes.txt", "notes.txt is no submission; give a folder or an archive; file names are"),
        ("elbo2.py", "elbo2.py is no submission; .*; was elbo2.py meant to be elbo.py"),
    ],
)
def test_paths_that_are_refused(short: Path, name: str, message: str) -> None:
    folder(short / "none")
    (short / "notes.txt").write_text("x")
    (short / "elbo2.py").write_bytes(SOURCE)
    with pytest.raises(UsageError, match=message):
        find([short / name], WANTED)


def test_a_folder_that_cannot_be_listed(tmp_path: Path) -> None:
    locked = folder(tmp_path / "all" / "locked")
    locked.chmod(0)
    try:
        with without_override():
            assert causes(only(locked.parent)) == [("harness-error", None)]
            with pytest.raises(UsageError, match="cannot be listed: Permission denied"):
                find([locked], WANTED)
    finally:
        locked.chmod(0o700)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("=cmd|x", "=cmd|x"),
        ("a\x1b[2Jb\r\n\x9b", "a\ufffd[2Jb\ufffd\ufffd\ufffd"),
        ("a\u202eb\u2066\u200f\u2028", "a\ufffdb\ufffd\ufffd\ufffd"),
        ("é漢🎲", "é漢🎲"),
        ("x" * 200, "x" * 79 + "…"),
        (os.fsdecode(b"\xff"), "\ufffd"),
    ],
)
def test_hostile_names(tmp_path: Path, name: str, shown: str) -> None:
    submission = only(folder(tmp_path / name, {ELBO: SOURCE}))
    assert (submission.name, submission.display_name) == (name, shown)
    shown.encode()


@given(st.text(st.characters(), max_size=200))
def test_what_is_displayed_is_printable(text: str) -> None:
    shown = display(text)
    shown.encode()
    assert len(shown) <= len("x" * 80)
    assert not set(shown) & set("\x1b\r\n\0\u202e\u2066\x85")


# Files


def test_special_files_are_refused_without_waiting(tmp_path: Path) -> None:
    alice = folder(tmp_path / "alice")
    (alice / ELBO).symlink_to("/etc/passwd")
    os.mkfifo(alice / POLICY)
    (alice / WEIGHTS).mkdir()
    submission = only(alice)
    assert causes(submission) == [("unsafe-file", name) for name in (ELBO, POLICY, WEIGHTS)]
    assert submission.files == {}


def test_links_inside_a_folder_of_submissions_are_not_followed(tmp_path: Path) -> None:
    target = folder(tmp_path / "secret", {ELBO: SOURCE})
    inside = folder(tmp_path / "all")
    (inside / "folder").symlink_to(target)
    (inside / "gone").symlink_to("nowhere")
    (inside / "pack.zip").symlink_to(zipped(tmp_path / "s.zip", {ELBO: SOURCE}))
    (inside / "stray.py").symlink_to(target / ELBO)
    found = find([inside], WANTED)
    assert {submission.name: causes(submission)[0][0] for submission in found} == {
        "folder": "unsafe-file",
        "gone": "unsafe-file",
        "pack": "unsafe-file",
        "stray": "unsafe-file",
    }
    assert all(submission.files == {} for submission in found)


def test_a_lone_link_is_refused(tmp_path: Path) -> None:
    target = folder(tmp_path / "real", {ELBO: SOURCE}) / ELBO
    (tmp_path / ELBO).symlink_to(target)
    with pytest.raises(UsageError, match="does not exist"):
        find([tmp_path / "none" / ELBO], WANTED)
    (submission,) = find([tmp_path / ELBO], WANTED)
    assert causes(submission) == [("unsafe-file", ELBO)]


def test_sizes(tmp_path: Path) -> None:
    limits = Limits(source_bytes=30, data_bytes=40, total_bytes=50)
    path = folder(tmp_path / "a", {ELBO: b"#" * 30, POLICY: b"#" * 31, WEIGHTS: b"#" * 20})
    submission = only(path, limits)
    assert causes(submission) == [("too-large", POLICY)]
    (path / WEIGHTS).write_bytes(b"#" * 21)
    submission = only(path, limits)
    assert causes(submission) == [("too-large", POLICY), ("too-large", WEIGHTS)]
    assert "up to policy.safetensors are together larger than 50 bytes" in (
        submission.problems[1].message
    )


def test_the_default_sizes(tmp_path: Path) -> None:
    kib = 1024
    path = folder(tmp_path / "a", {ELBO: b"#" * 256 * kib, WEIGHTS: b"#" * 8192 * kib})
    assert causes(only(path)) == []
    (path / ELBO).write_bytes(b"#" * (256 * kib + 1))
    (path / WEIGHTS).write_bytes(b"#" * (8192 * kib + 1))
    submission = only(path)
    assert [problem.message for problem in submission.problems] == [
        "elbo.py is larger than 256 KiB",
        "policy.safetensors is larger than 8 MiB",
    ]


@pytest.mark.parametrize(
    ("content", "cause", "line", "message"),
    [
        (b"x = 1\n'\xff'", "not-text", 2, "elbo.py is not UTF-8 text: byte 0xff in line 2"),
        (b"x = '\0'", "not-text", None, "elbo.py holds a NUL byte"),
        (
            b"# coding: utf-7\nx = 1\n",
            "not-text",
            1,
            "elbo.py declares the encoding utf-7 and is not text of it alone; save it as UTF-8",
        ),
        (b"x = 1\ndef f(:", "syntax", 2, "elbo.py, line 2: invalid syntax"),
        ("x = 1\n\u202e".encode(), "syntax", 2, "elbo.py, line 2: invalid non-printable character"),
        (b"-" * 100_000 + b"1", "syntax", None, "elbo.py is nested too deeply for Python's parser"),
        (b"a" + b".a" * 100_000, "syntax", None, "elbo.py is nested too deeply for Python's"),
    ],
    ids=["latin", "nul", "encoding", "syntax", "bidi", "memory", "recursion"],
)
def test_sources_that_cannot_run(
    tmp_path: Path, content: bytes, cause: str, line: int | None, message: str
) -> None:
    submission = only(folder(tmp_path / "a", {ELBO: content, POLICY: SOURCE, WEIGHTS: b"\xff"}))
    (problem,) = submission.problems
    assert (problem.cause, problem.file, problem.line) == (cause, ELBO, line)
    assert problem.message.startswith(message)


def test_sources_are_neither_run_nor_warned_about(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbfraise SystemExit\nx = '\\d' is 3\n"
    assert causes(only(folder(tmp_path / "a", {ELBO: content}))) == []


# Copies


@pytest.mark.parametrize("change", ["edit", "remove", "link", "remove all"])
def test_what_happens_to_the_files_later_changes_nothing(tmp_path: Path, change: str) -> None:
    path = folder(tmp_path / "a", {ELBO: SOURCE})
    submission = only(path)
    if change == "edit":
        (path / ELBO).write_bytes(SOURCE + b"#")
    else:
        (path / ELBO).rename(tmp_path / "moved")
    if change == "link":
        (path / ELBO).symlink_to(tmp_path / "moved")
    if change == "remove all":
        path.rmdir()
    assert submission.contents == {ELBO: SOURCE}


# Archives


@pytest.mark.parametrize(
    ("members", "taken"),
    [
        ([ELBO, "notes.txt"], [ELBO]),
        (["top/" + ELBO, "top/" + WEIGHTS, "__MACOSX/top/._x", ".git/x", "hello.txt"], [ELBO]),
        (["./top//" + ELBO], [ELBO]),
        ([ELBO, "top/" + POLICY], [ELBO, POLICY]),
        (["a/" + ELBO, "b/" + POLICY], [ELBO, POLICY]),
        (["a/b/" + ELBO], [ELBO]),
        (["1/2/3/4/5/6/" + ELBO], [ELBO]),
        (["1/2/3/4/5/6/7/" + ELBO], []),
        ([".git/" + ELBO, "__MACOSX/" + ELBO, "venv/lib/site-packages/" + ELBO], []),
        (["torch.py", "sitecustomize.py", "json/__init__.py"], []),
        ([], []),
    ],
)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_what_is_taken_of_an_archive(
    tmp_path: Path, pack: object, members: list[str], taken: list[str]
) -> None:
    assert callable(pack)
    path = tmp_path / ("a.zip" if pack is zipped else "a.tar.gz")
    submission = only(pack(path, {name: SOURCE for name in members}))
    assert list(submission.files) == taken + [WEIGHTS] * ("top/" + WEIGHTS in members)
    assert causes(submission) == ([] if taken else [("empty", None)])


UNSAFE_NAMES = {
    "/elbo.py": "has an absolute path",
    "../elbo.py": "leaves the archive's folder",
    "a/../../elbo.py": "leaves the archive's folder",
    "C:elbo.py": "has an absolute path",
    "a\\..\\..\\elbo.py": "leaves the archive's folder",
    "\\elbo.py": "has an absolute path",
    "../a\x1b[2J.py": "leaves the archive's folder",
}


@pytest.mark.parametrize("name", UNSAFE_NAMES)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_unsafe_names(tmp_path: Path, pack: object, name: str) -> None:
    assert callable(pack)
    path = tmp_path / ("a.zip" if pack is zipped else "a.tgz")
    submission = only(pack(path, {ELBO: SOURCE, name: SOURCE}))
    (problem,) = submission.problems
    assert (problem.cause, problem.file) == ("unsafe-archive", None)
    assert UNSAFE_NAMES[name] in problem.message
    assert display(name) in problem.message
    assert "\x1b" not in problem.message
    assert submission.files == {}


def test_a_member_without_a_name_costs_nothing(tmp_path: Path) -> None:
    submission = only(zipped_member(tmp_path / "a.zip", zipfile.ZipInfo(".")))
    assert (list(submission.files), submission.problems) == ([ELBO], ())


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_are_there_twice(tmp_path: Path) -> None:
    zipped_member(tmp_path / "a.zip", zipfile.ZipInfo(ELBO))
    zipped_member(tmp_path / "b.zip", zipfile.ZipInfo("./" + ELBO))
    tarred(tmp_path / "c.tgz", {ELBO: SOURCE, "./" + ELBO: SOURCE})
    for path in sorted(tmp_path.iterdir()):
        submission = only(path)
        assert causes(submission) == [("unsafe-archive", ELBO)]
        assert "is in it twice" in submission.problems[0].message
        (unwanted,) = find([path], WANTED - {ELBO})
        assert causes(unwanted) == [("empty", None)]


def test_folders_may_be_there_twice(tmp_path: Path) -> None:
    folders = [tar_info("top", tarfile.DIRTYPE), tar_info("top/", tarfile.DIRTYPE)]
    assert causes(only(tarred(tmp_path / "a.tgz", {"top/elbo.py": SOURCE}, *folders))) == []


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.CONTTYPE,
        b"Z",
    ],
)
def test_tar_members_that_are_not_files(tmp_path: Path, kind: bytes) -> None:
    submission = only(tarred(tmp_path / "a.tgz", {ELBO: SOURCE}, tar_info(POLICY, kind)))
    assert causes(submission) == [("unsafe-archive", POLICY)]
    assert "policy.py is a link or a device" in submission.problems[0].message
    assert list(submission.files) == [ELBO]


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_zip_members_that_are_not_files(tmp_path: Path, mode: int) -> None:
    info = zipfile.ZipInfo(POLICY)
    info.external_attr = (mode | 0o777) << 16
    submission = only(zipped_member(tmp_path / "a.zip", info, b"/etc/passwd"))
    assert causes(submission) == [("unsafe-archive", POLICY)]
    assert "policy.py is a link or a device" in submission.problems[0].message
    assert list(submission.files) == [ELBO]


def test_a_name_that_ends_early(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"elbo.py-txt": SOURCE})
    path.write_bytes(path.read_bytes().replace(b"elbo.py-txt", b"elbo.py\0txt"))
    submission = only(path)
    assert submission.files == {}
    assert all("\0" not in problem.message for problem in submission.problems)


def test_an_encrypted_member(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {ELBO: SOURCE})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    submission = only(path)
    assert "is encrypted" in submission.problems[0].message


def test_an_unusual_compression(tmp_path: Path) -> None:
    info = zipfile.ZipInfo(POLICY)
    info.compress_type = zipfile.ZIP_LZMA
    submission = only(zipped_member(tmp_path / "a.zip", info))
    assert "is compressed in another way than deflate" in submission.problems[0].message


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_many_members(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    suffix = ".zip" if pack is zipped else ".tgz"
    names = {f"{number:05}": b"" for number in range(10_000)}
    path = pack(tmp_path / f"a{suffix}", {**names, ELBO: SOURCE})
    assert causes(only(path)) == []
    submission = only(path, Limits(archive_members=10_000))
    assert submission.problems[0].message == "the archive has more than 10000 members"
    assert causes(submission) == [("unsafe-archive", None)]


def test_bombs(tmp_path: Path) -> None:
    limits = Limits(total_bytes=1000, data_bytes=900, unpacked_bytes=1_000_000)
    bomb = b"\0" * 10_000_000
    submission = only(tarred(tmp_path / "a.tgz", {"other": bomb}), limits)
    assert causes(submission) == [("unsafe-archive", None)]
    message = "what was handed in unpacks to more than 976.6 KiB"
    assert submission.problems[0].message == message
    submission = only(zipped(tmp_path / "b.zip", {ELBO: b"#" * 600, POLICY: b"#" * 600}), limits)
    assert causes(submission) == [("too-large", POLICY)]
    submission = only(zipped(tmp_path / "c.zip", {WEIGHTS: bomb, ELBO: SOURCE}), limits)
    assert causes(submission) == [("too-large", WEIGHTS)]
    assert list(submission.files) == [ELBO]


def test_a_large_member_spoils_only_its_own_task(tmp_path: Path) -> None:
    limits = Limits(data_bytes=900)
    for submission in (
        only(zipped(tmp_path / "a.zip", {WEIGHTS: b"\0" * 901, ELBO: SOURCE}), limits),
        only(tarred(tmp_path / "b.tgz", {WEIGHTS: b"\0" * 901, ELBO: SOURCE}), limits),
    ):
        assert causes(submission) == [("too-large", WEIGHTS)]
        assert list(submission.files) == [ELBO]


def test_declared_sizes_are_not_believed(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {WEIGHTS: b"\0" * 1_000_000})
    data = bytearray(path.read_bytes())
    for start in (data.index(b"PK\x01\x02") + 24, data.index(b"PK\x03\x04") + 22):
        data[start : start + 4] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    assert causes(only(path)) == [("unreadable-archive", WEIGHTS)]


def test_a_large_archive_file(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {ELBO: SOURCE})
    submission = only(path, Limits(archive_bytes=50))
    assert causes(submission) == [("too-large", None)]


def plain_tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def pax(*records: tuple[str, str], header: bytes | None = None, size: int = 0) -> bytes:
    """A tar with an extended header, written by hand where it is to be a bad one."""
    content = b""
    for key, value in records:
        body = f" {key}={value}\n".encode()
        length = len(body) + len(str(len(body) + 3))
        content += str(length).encode() + body
    content = header if header is not None else content
    info = tarfile.TarInfo("pax")
    info.type = tarfile.XHDTYPE
    info.size = size or len(content)
    padding = b"\0" * (-len(content) % 512)
    return info.tobuf(tarfile.USTAR_FORMAT) + content + padding + plain_tar({ELBO: SOURCE})


SPARSE = tar_info("sparse", tarfile.GNUTYPE_SPARSE)
DAMAGED = {
    "nothing": b"",
    "no gzip": b"hello",
    "no tar": gzip.compress(b"hello" * 200),
    "cut gzip": gzip.compress(plain_tar({ELBO: SOURCE}))[:-4],
    "wrong sum": gzip.compress(plain_tar({ELBO: SOURCE}))[:-8] + bytes(8),
    "two streams": gzip.compress(plain_tar({ELBO: SOURCE})) + gzip.compress(b""),
    "cut member": gzip.compress(plain_tar({ELBO: b"#" * 2000})[:1024]),
    "junk after a member": gzip.compress(plain_tar({ELBO: SOURCE})[:1024] + b"junk" * 300),
    "digits": gzip.compress(pax(("comment", "1" * 1_000_000))),
    "no records": gzip.compress(pax(header=b"2 2 2 2 2 2 = ")),
    "no value": gzip.compress(pax(header=b"5 ab\n")),
    "long record": gzip.compress(pax(header=b"99 a=b\n")),
    "padding": gzip.compress(pax(header=b"6 a=b\n19 GNU.sparse.a=b\n", size=6)),
    "negative size": gzip.compress(pax(("size", "-1024"))),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_tars(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.tar.gz").write_bytes(DAMAGED[name])
    begin = time.monotonic()
    submission = only(tmp_path / "a.tar.gz")
    assert causes(submission) == [("unreadable-archive", None)]
    assert submission.files == {}
    assert time.monotonic() - begin < float("5")


def test_a_member_that_points_at_itself(tmp_path: Path) -> None:
    info = tarfile.TarInfo(ELBO)
    info.size = -512
    data = info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)
    (tmp_path / "a.tgz").write_bytes(gzip.compress(data))
    (problem,) = only(tmp_path / "a.tgz").problems
    assert problem.message == "the archive is damaged: a member has a negative size"


def test_sparse_members(tmp_path: Path) -> None:
    sparse = [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0")]
    (tmp_path / "a.tgz").write_bytes(gzip.compress(pax(*sparse)))
    (tmp_path / "b.tgz").write_bytes(gzip.compress(SPARSE.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))
    for submission in find([tmp_path], WANTED):
        assert causes(submission)[0][0] in ("unsafe-archive", "unreadable-archive")
        assert "sparse" in submission.problems[0].message


def test_an_extended_header_that_is_in_order(tmp_path: Path) -> None:
    (tmp_path / "a.tgz").write_bytes(gzip.compress(pax(("path", "ü/" + POLICY))))
    assert list(only(tmp_path / "a.tgz").files) == [POLICY]


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + b"\xff" * 18], ids=repr)
def test_damaged_zips(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    assert causes(only(tmp_path / "a.zip")) == [("unreadable-archive", None)]


def test_a_member_with_a_wrong_checksum(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(ELBO, SOURCE)
    data = (tmp_path / "a.zip").read_bytes().replace(b"return 1", b"return 2")
    (tmp_path / "a.zip").write_bytes(data)
    assert causes(only(tmp_path / "a.zip")) == [("unreadable-archive", ELBO)]


QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = st.text(st.sampled_from("ab./\\C:\x1bé"), min_size=1, max_size=12) | st.sampled_from(
    [ELBO, "../" + ELBO, "top/" + ELBO, "/" + POLICY, "torch.py"]
)
ARCHIVE_CAUSES = {"empty", "unsafe-archive", "unreadable-archive", "too-large"}


def checked(root: Path, path: Path) -> Submission:
    """The submission of a path, after looking that taking it apart touched nothing else."""
    before = sorted(root.rglob("*"))
    submission = only(path)
    assert sorted(root.rglob("*")) == before
    assert set(submission.files) <= WANTED
    assert {cause for cause, file in causes(submission) if file is None} <= ARCHIVE_CAUSES
    for problem in submission.problems:
        problem.message.encode()
        assert "\x1b" not in problem.message
    write_program(root / "out", submission.contents)
    assert {each.name for each in (root / "out").iterdir()} == set(submission.files)
    return submission


@QUIET
@given(st.dictionaries(NAMES, st.binary(max_size=50), max_size=5), st.booleans())
def test_random_members_never_escape(
    tmp_path_factory: pytest.TempPathFactory, members: dict[str, bytes], as_zip: bool
) -> None:
    root = tmp_path_factory.mktemp("fuzz")
    if as_zip:
        path = zipped(root / "a.zip", members)
    else:
        path = tarred(root / "a.tgz", members)
    submission = checked(root, path)
    absolute = [name for name in members if name.replace("\\", "/").startswith("/")]
    if any(".." in name.split("/") for name in members) or any(
        WANTED & set(name.replace("\\", "/").split("/")) for name in absolute
    ):
        assert causes(submission) == [("unsafe-archive", None)]


@QUIET
@given(st.binary(max_size=200), st.sampled_from([".zip", ".tgz", ".gz.tgz"]))
@example(b"PK\x05\x06" + b"\0" * 18, ".zip")
def test_arbitrary_bytes_are_a_recorded_problem(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    root = tmp_path_factory.mktemp("fuzz")
    path = root / f"a{suffix}"
    path.write_bytes(gzip.compress(content) if suffix == ".gz.tgz" else content)
    assert checked(root, path).problems != ()


PACKED_ZIP = io.BytesIO()
with zipfile.ZipFile(PACKED_ZIP, "w", zipfile.ZIP_DEFLATED) as _archive:
    _archive.writestr("top/" + ELBO, SOURCE)
    _archive.writestr("top/" + WEIGHTS, bytes(200))
PACKED = {".zip": PACKED_ZIP.getvalue(), ".tgz": plain_tar({ELBO: SOURCE, "é" * 60: b"x"})[:4096]}


@QUIET
@given(
    st.sampled_from(sorted(PACKED)),
    st.lists(st.tuples(st.integers(0, 4095), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_archives_with_a_few_wrong_bytes(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, changes: list[tuple[int, int]]
) -> None:
    root = tmp_path_factory.mktemp("fuzz")
    data = bytearray(PACKED[suffix])
    for place, value in changes:
        data[place % len(data)] = value
    path = root / f"a{suffix}"
    path.write_bytes(gzip.compress(data) if suffix == ".tgz" else data)
    checked(root, path)


def test_a_submission_is_a_value(tmp_path: Path) -> None:
    path = folder(tmp_path / "a", {ELBO: SOURCE})
    assert only(path) == only(path)
    with pytest.raises(dataclasses.FrozenInstanceError):
        only(path).name = "b"  # type: ignore[misc]
