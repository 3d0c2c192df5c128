"""Files and archives that are something else than their names say, or have names like others.

For each kind what is right is written down: what can be read is read, and what cannot is told for
what it is, so that a student knows what to hand in.
"""

from __future__ import annotations

import codecs
import gzip
import os
import tarfile
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.submissions import Limits, Submission, find, find_all, formats
from tests.support.archives import Files, laid, tarred, zipped

ELBO, SCORE = "elbo.py", "score_grad.py"
WANTED = frozenset({ELBO, SCORE})
SOURCE = b"def f():\n    return 1\n"
TAKEN = {ELBO: SOURCE}


def handed_in(tmp_path: Path, files: Files) -> Submission:
    """The one submission of a class, with files that lie below its folder."""
    (submission,) = find([laid(tmp_path, {f"doe/{name}": files[name] for name in files})], WANTED)
    return submission


def said(submission: Submission) -> str:
    return " | ".join([*(each.message for each in submission.problems), *submission.notes])


PLAIN_TAR = gzip.decompress(tarred(TAKEN))


@pytest.mark.parametrize(
    "files",
    [
        {"hw.zip": tarred(TAKEN)},
        {"hw.tgz": zipped(TAKEN)},
        {"hw.tar.gz": zipped({"hw.zip": tarred({"hw/elbo.py": SOURCE})})},
        {"hw.tgz": tarred({"./": b"", "./elbo.py": SOURCE})},
        {"hw.tgz": tarred(TAKEN, [("beside", tarfile.SYMTYPE, "/etc/passwd")])},
        {"hw.tgz": tarred(TAKEN, [("beside.py", tarfile.LNKTYPE, ELBO)])},
        {"hw.zip": zipped({"week 1: x/elbo.py": SOURCE})},
        {"hw.zip": zipped({"hw//./elbo.py": SOURCE, "__MACOSX/hw/._elbo.py": b"\0\5\x16\7"})},
        {"hw.zip": zipped({"hw/elbo.py": SOURCE}).replace(b"hw/", b"\x81\x94/")},
        {"elbo.py/elbo.py": SOURCE},
        {"hw.zip/elbo.py": SOURCE},
        {"hw.rar/elbo.py": SOURCE},
        {ELBO: SOURCE, "ELBO.py": b"x", "elbo.py ": b"y", "hw.zip": b"", "hw.7z": b"7z"},
        {ELBO: SOURCE, ".Trash-1000/files/elbo.py": b"x", ".ipynb_checkpoints/elbo.py": b"y"},
        {ELBO: SOURCE, "._elbo.py": b"\0\5\x16\7", ".DS_Store": b"\0", "Thumbs.db": b"\0"},
        {unicodedata.normalize("NFD", "é") + "/elbo.py": SOURCE},
    ],
    ids=lambda files: " ".join(files).encode("ascii", "replace").decode(),
)
def test_what_can_be_read_is_read(tmp_path: Path, files: Files) -> None:
    submission = handed_in(tmp_path, files)
    assert (submission.contents, submission.problems) == (TAKEN, ())


@pytest.mark.parametrize(
    ("files", "cause", "words"),
    [
        ({"hw.zip": b"7z\xbc\xaf\x27\x1c" + bytes(40)}, "empty", "this is a 7z archive, whatever"),
        ({"hw.zip": b"Rar!\x1a\x07\x01\x00" + bytes(40)}, "empty", "this is a rar archive, whatev"),
        ({"hw.tar.gz": PLAIN_TAR}, "empty", "this is a plain tar archive, whatever its name says"),
        ({"hw.zip": b"<!DOCTYPE html><html>"}, "empty", "this is a web page, whatever its name"),
        ({"hw.zip": b""}, "empty", "it is an empty file; see that it was uploaded whole"),
        (
            {"hw": zipped(TAKEN)},
            "empty",
            "; hw is a zip archive and not called so: rename it to hw.",
        ),
        (
            {"a/hw.zipx": zipped(TAKEN)},
            "empty",
            "a/hw.zipx is a zip archive and not called so: rena",
        ),
        (
            {"hw.jar": zipped(TAKEN)},
            "empty",
            "hw.jar is a zip archive and not called so: rename it t",
        ),
        (
            {"hw": tarred(TAKEN)},
            "empty",
            "hw is a gzip file and not called so: rename it to hw.tar.gz",
        ),
        (
            {"hw": PLAIN_TAR},
            "empty",
            "hw is a plain tar archive, which is not opened: pack your fil",
        ),
        (
            {"hw": b"7z\xbc\xaf\x27\x1c"},
            "empty",
            "hw is a 7z archive, which is not opened: pack you",
        ),
        (
            {"hw.tgz": tarred({"hw.zipx": b"x"})},
            "empty",
            "hw.tgz/hw.zipx looks like an archive of a k",
        ),
        ({"hw.zip": zipped({})}, "empty", "; hw.zip is empty; see that your files are in it"),
        (
            {"hw.zip": zipped({"hw/": b""})},
            "empty",
            "; hw.zip/hw is empty; see that your files are",
        ),
        ({".hidden/elbo.py": SOURCE}, "empty", "; .hidden was not looked into, since its name beg"),
        (
            {".elbo.py": SOURCE},
            "empty",
            "; .elbo.py was not looked into, since its name begins wit",
        ),
        (
            {"report.docx": zipped({"word/a": b""}), "a.txt": b""},
            "empty",
            "; handed in: a.txt, report",
        ),
        ({ELBO: zipped(TAKEN)}, "not-text", "elbo.py is a zip archive, not a Python file"),
        ({ELBO: tarred(TAKEN)}, "not-text", "elbo.py is a gzip file, not a Python file"),
        ({ELBO: PLAIN_TAR}, "not-text", "elbo.py is a plain tar archive, not a Python file"),
        ({ELBO: b"%PDF-1.4\n"}, "not-text", "elbo.py is a PDF file"),
        ({ELBO: b"{\\rtf1\\ansi x = 1\n}"}, "not-text", "elbo.py is rich text (RTF)"),
        ({ELBO: b"\n<html>\n"}, "not-text", "is a web page, not a Python file; download the file"),
        ({ELBO: b'{\n "cells": [],\n "nbformat": 4}'}, "not-text", "give it the suffix .ipynb"),
        ({ELBO: "x = 1\n".encode("utf-16-le")}, "not-text", "elbo.py is UTF-16, not UTF-8 text"),
        ({ELBO: "x = 1\n".encode("utf-16")}, "not-text", "elbo.py is UTF-16, not UTF-8 text"),
        ({ELBO: "x = 1\n".encode("utf-32")}, "not-text", "elbo.py is UTF-32, not UTF-8 text"),
        ({ELBO: b"x = 1\0\n"}, "not-text", "elbo.py holds a NUL byte"),
        (
            {"elbo/__init__.py": SOURCE},
            "missing-file",
            "elbo.py was not submitted; found elbo/__init__.py, a package; one file is asked for",
        ),
        ({"elbo.py ": SOURCE}, "missing-file", "found elbo.py  (that is, 'elbo.py ')"),
        ({"elbо.py": SOURCE}, "missing-file", r"found elbо.py (that is, 'elb\u043e.py')"),
        ({"el\u200bbo.py": SOURCE}, "missing-file", r"(that is, 'el\u200bbo.py')"),
        ({"elbo.py.": SOURCE}, "missing-file", "elbo.py was not submitted; found elbo.py."),
        (
            {"hw.zip": zipped({"../elbo.py": SOURCE})},
            "empty",
            "leaves the archive's folder; pack plain files anew",
        ),
        (
            {"hw.tgz": tarred({"./elbo.py": b"old", ELBO: SOURCE})},
            "unsafe-archive",
            "the archive's member hw.tgz/elbo.py is in it twice",
        ),
        (
            {"hw.tgz": tarred({"x.py": SOURCE}, [(ELBO, tarfile.LNKTYPE, "x.py")])},
            "unsafe-archive",
            "elbo.py is a link or a device",
        ),
    ],
    ids=lambda value: ascii(" ".join(value)) if isinstance(value, Mapping) else "",
)
def test_what_cannot_be_read_is_told(tmp_path: Path, files: Files, cause: str, words: str) -> None:
    submission = handed_in(tmp_path, files)
    assert submission.problems[0].cause == cause
    assert words in said(submission)


@pytest.mark.parametrize(
    "content",
    [
        SOURCE,
        b"BZh = 1\n",
        b"# " + b"x" * 255 + b"ustar\n",
        b'{"cells": [1]}\n',
        b'x = {"cells": [1], "nbformat": 4}\n',
        b"'''<html>'''\n",
        codecs.BOM_UTF8 + SOURCE,
        b"",
    ],
)
def test_no_python_file_is_taken_for_another(tmp_path: Path, content: bytes) -> None:
    assert formats.told(content) == ""
    submission = handed_in(tmp_path, {ELBO: content})
    assert (submission.contents, submission.problems) == ({ELBO: content}, ())


# What one student packs costs no other


def in_a_class(files: Files, tmp_path: Path) -> Path:
    path = tmp_path / "class.zip"
    path.write_bytes(zipped(files))
    return path


@pytest.mark.parametrize("attack", ["unpacked", "listed", "held"])
def test_limits_of_one_submission_are_not_those_of_a_class(tmp_path: Path, attack: str) -> None:
    """Nobody's archives use up what others in the same archive of a class may unpack or list."""
    most = {
        "unpacked": Limits(unpacked_bytes=200_000),
        "held": Limits(held_bytes=400_000),
        "listed": Limits(entries=300),
    }[attack]
    size = 90_000 if attack != "listed" else 10
    work = {f"{n:02}": zipped({ELBO: SOURCE, "data": os.urandom(size)}) for n in range(8)}
    evil = {"unpacked": bytes(5 << 20), "held": bytes(390_000), "listed": b""}[attack]
    members = {f"{name}.zip": content for name, content in work.items()}
    heavy = {"elbo.py": SOURCE, "in.tgz": tarred({SCORE: b"", "x.zip": evil})}
    heavy |= {str(number): b"" for number in range(400 * (attack == "listed"))}
    if attack == "held":
        members = {name: content for name, content in members.items() if name < "03"}
    found = find_all([in_a_class({"!.zip": zipped(heavy), **members}, tmp_path)], WANTED, most)
    assert len(found.classes) == 1
    honest = [each for each in found.submissions if each.name != "!"]
    assert len(honest) == len(members)
    assert all(each.contents == TAKEN and not each.problems for each in honest)


Pack = Callable[[Files, Path], Path]


@pytest.mark.parametrize("pack", [in_a_class, lambda files, path: laid(path / "class", files)])
def test_twins_in_a_class_are_two_submissions(tmp_path: Path, pack: Pack) -> None:
    """Names that differ in case, in the encoding of an accent, or in a space at the end."""
    twins = ["a", "A", "a ", "a.", *(unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))]
    found = find([pack({f"{name}/elbo.py": SOURCE for name in twins}, tmp_path)], WANTED)
    assert sorted(each.name for each in found) == sorted(twins)
    assert all(each.contents == TAKEN and not each.problems for each in found)


def test_a_path_that_is_an_archive_under_another_name(tmp_path: Path) -> None:
    """A zip archive without its suffix is no submission by itself, and is said to be one."""
    (tmp_path / "class").mkdir()
    path = tmp_path / "class" / "hw"
    path.write_bytes(zipped(TAKEN))
    for each in (path, path.parent):
        with pytest.raises(UsageError, match=r"no submission; .*; hw is a zip archive.*to hw\.zip"):
            find([each], WANTED)
