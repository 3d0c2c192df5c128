"""Archives are read in a process of their own, with a deadline: what is slow costs itself."""

from __future__ import annotations

import json
import os
import signal
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ArchiveError, InfrastructureError
from harness.submissions import Limits, Submission, archives, find, find_all, unpacker, zips
from harness.submissions.archives import Archives
from harness.submissions.members import Budget
from harness.submissions.nodes import Archive, File, Opener
from harness.submissions.process import EndedError, ReadingProcess
from harness.submissions.sources import SourceParser
from tests.support.archives import InProcess, refusal_of, unpack, zipped

ELBO, SAMPLE = "elbo.py", "reparam_sample.py"
WANTED = frozenset({ELBO})
SOURCE = b"def f():\n    return 1\n"
DEADLINE_S = 0.4
deflated = partial(zipped, method=zipfile.ZIP_DEFLATED)


def header(name: bytes, size: int, kind: bytes = b"0") -> bytes:
    block = bytearray(512)
    block[: len(name)] = name
    block[124:136] = b"%011o\0" % size
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def gzipped(blocks: Iterator[bytes]) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    first = header(ELBO.encode(), len(SOURCE)) + SOURCE.ljust(512, b"\0")
    return b"".join(map(packer.compress, (first, *blocks, bytes(1024)))) + packer.flush()


@cache
def slow(count: int = 3000) -> bytes:
    """A small .tgz within every limit on sizes: some 90 MiB of records in extended headers.

    Of 1 GiB, which the limits let pass, a reader had nearly two minutes.
    """
    records = b"".join(b"8 %04d=\n" % number for number in range(3400))
    said = header(b"x", len(records), b"x") + records.ljust(-(-len(records) // 512) * 512, b"\0")
    return gzipped((said + header(b"f", 0)) for _ in range(count))


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> float:
    """A short deadline, so that a test does not take long; the attack is as slow as it is."""
    monkeypatch.setattr(archives, "ARCHIVE_S", DEADLINE_S)
    return DEADLINE_S


def said(submission: Submission) -> list[tuple[str, str | None]]:
    return [(problem.message, problem.file) for problem in submission.problems]


TOO_SLOW = "the archive takes longer than 0.4 s to read; pack plain files anew"


def test_a_slow_archive_costs_its_own_submission(tmp_path: Path, hurried: float) -> None:
    (tmp_path / "bob.zip").write_bytes(deflated({"hw/elbo.py": SOURCE}))
    (tmp_path / "eve.tgz").write_bytes(slow())
    (tmp_path / "zoe.zip").write_bytes(deflated({"hw/elbo.py": SOURCE}))
    began = time.process_time()
    bob, eve, zoe = find([tmp_path], WANTED)
    assert time.process_time() - began < hurried, "not in this process"
    assert (bob.contents, zoe.contents) == ({ELBO: SOURCE}, {ELBO: SOURCE})
    assert (bob.problems, zoe.problems) == ((), ())
    (problem,) = eve.problems
    assert (problem.cause, problem.message) == ("unsafe-archive", TOO_SLOW)


def test_a_slow_archive_beside_the_work_costs_nothing(tmp_path: Path, hurried: float) -> None:
    folder = tmp_path / "class" / "eve"
    folder.mkdir(parents=True)
    (folder / "a.tgz").write_bytes(slow())
    (folder / "work.zip").write_bytes(deflated({ELBO: SOURCE}))
    (eve,) = find([folder.parent], WANTED)
    assert (eve.contents, eve.problems) == ({ELBO: SOURCE}, ())
    assert f"a.tgz was not opened: {TOO_SLOW}." in eve.notes


@pytest.mark.parametrize("form", ["plain", "in a folder"])
def test_in_an_archive_of_a_class_the_others_keep_theirs(
    tmp_path: Path, hurried: float, form: str
) -> None:
    """The process that held the class is gone with eve's; the class is opened anew."""
    top = "class/" if form == "in a folder" else ""
    work = deflated({"hw/elbo.py": SOURCE})
    members = {"alice.zip": work, "eve.tgz": slow(), "mallory.tgz": slow(), "zoe.zip": work}
    members |= {"olga/elbo.py": SOURCE, "paul/hw/elbo.py": SOURCE}
    path = tmp_path / "all.zip"
    path.write_bytes(deflated({top + name: content for name, content in members.items()}))
    found = find_all([path], WANTED)
    assert found.classes == (path,)
    assert {each.name: said(each) for each in found.submissions} == {
        **{name: [] for name in ("alice", "olga", "paul", "zoe")},
        **{name: [(TOO_SLOW, None)] for name in ("eve", "mallory")},
    }
    assert all(not each.contents or each.contents == {ELBO: SOURCE} for each in found.submissions)


def test_all_archives_of_a_submission_have_one_deadline(
    tmp_path: Path, hurried: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Budget, "__init__", _with_seconds(3 * hurried))
    data = slow()
    (tmp_path / "eve").mkdir()
    for number in range(20):
        (tmp_path / "eve" / f"{number:02}.tgz").write_bytes(data)
    (tmp_path / "eve" / "work.zip").write_bytes(deflated({ELBO: SOURCE}))
    spent = _children_s()
    (eve,) = find([tmp_path], WANTED)
    assert _children_s() - spent < 5 * hurried + 2
    assert [cause.cause for cause in eve.problems] == ["empty"]
    assert "longer than 20 s to read" in str(eve.notes) + eve.problems[0].message


def _with_seconds(seconds: float) -> Callable[..., None]:
    plain = Budget.__init__

    def made(self: Budget, *arguments: Any) -> None:
        plain(self, *arguments)
        self.cpu_s = seconds

    return made


def _children_s() -> float:
    times = os.times()
    return times.children_user + times.children_system


#: What a reader has much to do with, and what is right for it: taken, or refused in words.
MANY_NAMES = {"a/" * 400 + str(number): b"" for number in range(2000)}


@pytest.mark.parametrize(
    ("name", "made", "words"),
    [
        (
            "65,535 members.zip",
            lambda: deflated({str(n): b"" for n in range(65_535)}),
            "more than 50000",
        ),
        ("long names.zip", lambda: deflated(MANY_NAMES | {ELBO: SOURCE}), ""),
        ("many streams.tgz", lambda: gzipped(iter(())) * 3000, "more than one gzip stream"),
        (
            "bomb.tgz",
            lambda: gzipped(header(b"x", 1 << 20) + bytes(1 << 20) for _ in range(64)),
            "unpacks to more than 32 MiB",
        ),
        ("sparse.tgz", lambda: gzipped(iter([header(b"s", 0, b"S")])), "a member is sparse"),
        (
            "a header of megabytes.tgz",
            lambda: gzipped(iter([header(b"x", 2 << 20, b"x") + bytes(2 << 20)])),
            "an extended header of more than 65536 bytes",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_archives_that_are_much_work(
    tmp_path: Path, name: str, made: Callable[[], bytes], words: str
) -> None:
    (tmp_path / name).write_bytes(made())
    (tmp_path / "zoe.zip").write_bytes(deflated({ELBO: SOURCE}))
    limits = Limits(unpacked_bytes=32 << 20)
    eve, zoe = find([tmp_path], WANTED, limits)
    assert (zoe.contents, zoe.problems) == ({ELBO: SOURCE}, ())
    assert all(words in message for message, _ in said(eve))
    assert bool(eve.problems) == bool(words)
    assert eve.contents == ({} if words else {ELBO: SOURCE})


def test_what_is_listed_has_a_limit_that_hides_no_wanted_file(tmp_path: Path) -> None:
    """Long names count more than once, and so do the folders on the way."""
    limits = Limits(entries=300)
    data = deflated({"top/" + "n" * 700 + str(n): b"" for n in range(500)} | {"z/elbo.py": SOURCE})
    budget = Budget(limits)
    opener = Opener(WANTED, budget, Archives(InProcess()))
    top, z = opener.children(Archive("a.zip", File(lambda _: data)), limits.archive_bytes)
    assert (top[0], z[0]) == ("top", "z")
    assert budget.listed < 110
    (tmp_path / "a.zip").write_bytes(data)
    (submission,) = find([tmp_path / "a.zip"], WANTED, limits)
    assert submission.contents == {ELBO: SOURCE}


def test_a_folder_of_folders_is_listed_to_the_same_limit(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}").mkdir()
        for other in range(20):
            (tmp_path / f"{number}" / f"{other}.txt").touch()
    (tmp_path / "19" / ELBO).write_bytes(SOURCE)
    limits = Limits(entries=100)
    (submission,) = find_all([tmp_path], WANTED, limits, "single").submissions
    assert submission.contents == {ELBO: SOURCE}


# What is not the archive's fault


def test_a_process_that_somebody_ends_is_our_fault_and_only_then(tmp_path: Path) -> None:
    class Killed(ReadingProcess):
        left = 1

        def ask(
            self, request: Mapping[str, Any], content: bytes, cpu_s: float
        ) -> tuple[dict[str, Any], bytes]:
            if Killed.left:
                Killed.left -= 1
                raise EndedError(-signal.SIGKILL)
            return super().ask(request, content, cpu_s)

    data = deflated({ELBO: SOURCE})
    with Archives(Killed("unpacker", "archives", 2 << 30)) as opening:
        archive = Archive("a.zip", File(lambda _: data))
        for times, lost in ((1, "neither"), (1, "read"), (2, "open")):
            opener = Opener(WANTED, Budget(Limits()), opening)
            Killed.left = 0 if lost == "read" else times
            if lost == "open":
                with pytest.raises(ArchiveError) as caught:
                    opener.children(archive, 1 << 20)
                assert caught.value.cause == "harness-error"
                assert "grade again" in caught.value.message
                continue
            ((name, file),) = opener.children(archive, 1 << 20)
            Killed.left = times if lost == "read" else 0
            assert isinstance(file, File)
            assert (name, file.read(1 << 20)) == (ELBO, SOURCE)


def test_an_archive_that_changed_before_it_is_opened_anew_is_not_judged() -> None:
    contents = [deflated({ELBO: SOURCE}), deflated({ELBO: SOURCE, "b": b""})]
    with Archives() as opening:
        opener = Opener(WANTED, Budget(Limits()), opening)
        archive = Archive("a.zip", File(lambda _: contents.pop(0)))
        with opening.passing():
            ((_, file),) = opener.children(archive, 1 << 20)
        assert isinstance(file, File)
        with pytest.raises(ArchiveError) as caught:
            file.read(1 << 20)
    assert caught.value.cause == "harness-error"
    assert "changed while it was read" in caught.value.message


def test_the_parser_ended_by_somebody_costs_no_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a file, nor a module that it imports, nor a notebook; and the run goes on."""
    cell = {"cell_type": "code", "metadata": {}, "source": "# fairmark: elbo\nx = 1"}
    notebook = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}).encode()
    works: list[dict[str, bytes]] = [
        {ELBO: SOURCE},
        {ELBO: b"import helper\n", "helper.py": b"killed\n"},
        {"hw.ipynb": notebook},
    ]
    ask = ReadingProcess.ask

    def killed(self: ReadingProcess, request: Any, content: bytes, cpu_s: float) -> Any:
        if content in (SOURCE, b"killed\n", notebook):
            raise EndedError(-signal.SIGKILL)
        return ask(self, request, content, cpu_s)

    monkeypatch.setattr(ReadingProcess, "ask", killed)
    for number, files in enumerate([*works, {ELBO: b"x = 2\n"}]):
        (tmp_path / str(number)).mkdir()
        for name, content in files.items():
            (tmp_path / str(number) / name).write_bytes(content)
    *lost, fine = find([tmp_path], WANTED)
    assert fine.problems == ()
    for each in lost:
        assert [(problem.cause, problem.file) for problem in each.problems] == [
            ("harness-error", ELBO)
        ]
        assert "the machine has memory left" in each.problems[0].message


def test_a_notebook_that_this_machine_cannot_read_is_its_own_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "doe").mkdir()
    (tmp_path / "doe" / "hw.ipynb").write_bytes(b"{}")
    opened = os.open

    def refused(path: Any, *arguments: Any, **more: Any) -> int:
        if path == "hw.ipynb":
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **more)

    monkeypatch.setattr(os, "open", refused)
    (doe,) = find([tmp_path], WANTED)
    assert [(each.cause, each.file) for each in doe.problems] == [("harness-error", ELBO)]


def test_a_limit_of_the_shell_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (1 << 29, 1 << 29))
    for reading in (lambda: Archives().open("a.zip", _data, 99, WANTED, Budget(Limits())), _judged):
        with pytest.raises(InfrastructureError, match=r"limit here is 512 MiB; raise it"):
            reading()


def _data(_most: int) -> bytes:
    return b""


def _judged() -> None:
    with SourceParser() as parser:
        parser.judge(ELBO, SOURCE)


# What the process may do


PROBE = """
import os, socket, sys
def reader():
    return tried
OPENS_FILES = {opens}
def tried(request, content):
    done = []
    for name, act in (
        ("open", lambda: os.open("/etc/hostname", os.O_RDONLY)),
        ("write", lambda: os.open({target!r}, os.O_CREAT | os.O_WRONLY)),
        ("socket", lambda: socket.socket()),
        ("fork", lambda: os.fork() or os._exit(0)),
    ):
        try:
            act()
            done.append(name)
        except OSError:
            pass
    return {{"done": done, "uid": os.geteuid(), "groups": os.getgroups()}}, b""
"""


def test_the_process_for_archives_can_open_nothing_and_is_not_root(tmp_path: Path) -> None:
    folder = Path(unpacker.__file__).parent
    copied = tmp_path / "harness" / "submissions"
    copied.mkdir(parents=True)
    (copied / "reader.py").write_bytes((folder / "reader.py").read_bytes())
    target = str(tmp_path / "written")
    (copied / "probe.py").write_text(PROBE.format(opens=unpacker.OPENS_FILES, target=target))
    process = ReadingProcess("probe", "what is tried", 1 << 30)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.submissions.reader.__file__", str(copied / "reader.py"))
        fields, _ = process.ask({}, b"", 5.0)
    process.end()
    assert fields["done"] == []
    assert fields["uid"] != 0
    assert fields["groups"] == [] or os.geteuid() != 0
    assert not Path(target).exists()


def test_a_folder_without_archives_starts_no_process_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "doe").mkdir()
    (tmp_path / "doe" / ELBO).write_bytes(SOURCE)
    asked = []
    ask = ReadingProcess.ask

    def noted(self: ReadingProcess, request: Any, content: bytes, cpu_s: float) -> Any:
        asked.append(request.get("do"))
        return ask(self, request, content, cpu_s)

    monkeypatch.setattr(ReadingProcess, "ask", noted)
    assert find([tmp_path], WANTED)[0].contents == {ELBO: SOURCE}
    assert asked == [None]
    (tmp_path / "roe.zip").write_bytes(deflated({ELBO: SOURCE}))
    find([tmp_path], WANTED)
    assert "open" in asked, "the test would notice"


def test_a_reader_that_breaks_costs_one_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise SystemError("\x1b[2J")

    monkeypatch.setattr(zips, "members", broken)
    cause, message = refusal_of("a.zip", deflated({ELBO: SOURCE}), WANTED)
    assert (cause, message) == ("unreadable-archive", "the archive cannot be read (SystemError)")


def test_too_little_memory_is_tried_twice_and_then_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once in a process that held others; that one may have had no room for it."""
    left = [MemoryError(), MemoryError()]
    plain = zips.members

    def scarce(*arguments: Any) -> Any:
        if left:
            raise left.pop()
        return plain(*arguments)

    monkeypatch.setattr(zips, "members", scarce)
    cause, message = refusal_of("a.zip", deflated({ELBO: SOURCE}), WANTED)
    assert (cause, message) == (
        "unsafe-archive",
        "the archive takes more than 2048 MiB to be read",
    )
    left.append(MemoryError())
    assert unpack("a.zip", deflated({ELBO: SOURCE}), WANTED, Limits())[0] == {ELBO: SOURCE}
