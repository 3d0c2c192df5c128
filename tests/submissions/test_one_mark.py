"""One file, one mark: where the wanted files are found, however a submission was wrapped."""

from __future__ import annotations

import errno
import io
import os
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from harness.errors import UsageError
from harness.submissions import Found, Limits, Submission, disk, find, find_all
from tests.support.archives import Files, laid, tarred, zipped
from tests.support.unprivileged import without_override

ELBO, SAMPLE, WEIGHTS = "elbo_gaussian_kl.py", "reparam_sample.py", "policy.safetensors"
WANTED = frozenset({ELBO, SAMPLE, WEIGHTS})
SOURCE, OTHER = b"x = 1\n", b"x = 2\n"
Form = Literal["NFC", "NFD"]


def as_folder(path: Path, files: Files) -> Path:
    return laid(path / "class", files)


def as_zip(path: Path, files: Files) -> Path:
    (path / "class.zip").write_bytes(zipped(files))
    return path / "class.zip"


def as_tar(path: Path, files: Files) -> Path:
    (path / "class.tar.gz").write_bytes(tarred(files))
    return path / "class.tar.gz"


def as_zip_with_a_top_folder(path: Path, files: Files) -> Path:
    return as_zip(path, {f"hw3 submissions/{name}": content for name, content in files.items()})


def as_powershell_zip(path: Path, files: Files) -> Path:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo("x")
            info.filename = name.replace("/", "\\")
            archive.writestr(info, content)
    (path / "class.zip").write_bytes(stream.getvalue())
    return path / "class.zip"


CLASSES: list[Callable[[Path, Files], Path]] = [
    *(as_folder, as_zip, as_tar, as_zip_with_a_top_folder, as_powershell_zip),
]


def by_name(found: list[Submission]) -> dict[str, Submission]:
    return {submission.name: submission for submission in found}


def causes(submission: Submission) -> list[tuple[str, str | None]]:
    return [(problem.cause, problem.file) for problem in submission.problems]


WRAPPED: dict[str, Files] = {
    "flat": {ELBO: SOURCE},
    "folder": {f"hw1/{ELBO}": SOURCE},
    "deep": {f"a/b/c/d/e/f/{ELBO}": SOURCE},
    "zip": {"hw1.zip": zipped({ELBO: SOURCE})},
    "zip of a folder": {"hw1.zip": zipped({f"hw1/{ELBO}": SOURCE})},
    "zip in a folder": {"hw1/hw1.zip": zipped({f"hw1/{ELBO}": SOURCE})},
    "zip in a zip": {"hw1.zip": zipped({"hw1/hw1.zip": zipped({ELBO: SOURCE})})},
    "tar in a zip": {"hw1.zip": zipped({"hw1.tar.gz": tarred({ELBO: SOURCE})})},
    "zip in a tar": {"hw1.tgz": tarred({"x/hw1.ZIP": zipped({ELBO: SOURCE})})},
    "unpacked backslash": {f"hw1\\{ELBO}": SOURCE},
    "beside a link of no use": {f"hw1/{ELBO}": SOURCE, "hw1/notes.txt": b"x"},
}


@pytest.mark.parametrize("wrapping", WRAPPED)
def test_one_file_one_mark(tmp_path: Path, wrapping: str) -> None:
    files = WRAPPED[wrapping]
    everyone = laid(tmp_path / "class" / "doe", files).parent
    (everyone / "roe.zip").write_bytes(zipped(files))
    (everyone / "poe.tar.gz").write_bytes(tarred(files))
    found = by_name(find([everyone], WANTED))
    assert sorted(found) == ["doe", "poe", "roe"]
    for submission in found.values():
        assert submission.contents == {ELBO: SOURCE}
        assert submission.problems == ()


@pytest.mark.parametrize("wrapping", sorted(WRAPPED.keys() - {"unpacked backslash"}))
def test_an_archive_by_itself_is_one_submission(tmp_path: Path, wrapping: str) -> None:
    (tmp_path / "doe.zip").write_bytes(zipped(WRAPPED[wrapping]))
    (submission,) = find([tmp_path / "doe.zip"], WANTED)
    assert (submission.name, submission.contents) == ("doe", {ELBO: SOURCE})


CLASS: Files = {
    f"doe/{ELBO}": SOURCE,
    f"doe/{SAMPLE}": SOURCE,
    f"roe/hw/{ELBO}": OTHER,
    "poe.zip": zipped({f"hw/{ELBO}": OTHER}),
    "noe/Elbo.txt": b"nothing",
    "README.md": b"of the course",
}


@pytest.mark.parametrize("pack", CLASSES)
def test_a_class_is_a_class_however_it_is_packed(
    tmp_path: Path, pack: Callable[[Path, Files], Path]
) -> None:
    path = pack(tmp_path, CLASS)
    found = find_all([path], WANTED)
    assert found.classes == (path,)
    assert {each.name: each.contents for each in found.submissions} == {
        "doe": {ELBO: SOURCE, SAMPLE: SOURCE},
        "noe": {},
        "poe": {ELBO: OTHER},
        "roe": {ELBO: OTHER},
    }


def test_several_archives_were_packed_by_students(tmp_path: Path) -> None:
    """What one of them holds cannot make rows for others."""
    paths = [tmp_path / "doe.zip", tmp_path / "eve.zip"]
    paths[0].write_bytes(zipped({ELBO: SOURCE}))
    paths[1].write_bytes(
        zipped({f"doe/{ELBO}": OTHER, f"roe_1_assignsubmission_file_/{ELBO}": b""})
    )
    found = find_all(paths, WANTED)
    assert (found.classes, found.downloads) == ((), (paths[1],))
    assert [each.name for each in found.submissions] == ["doe", "eve"]
    assert causes(found.submissions[1]) == [("duplicate-file", ELBO)]


@pytest.mark.parametrize("packed", [False, True])
def test_a_path_that_is_said_to_be_one_submission_is_one(tmp_path: Path, packed: bool) -> None:
    files = {f"doe/{ELBO}": SOURCE, f"roe/{ELBO}": OTHER}
    path = (as_zip if packed else as_folder)(tmp_path, files)
    assert len(find_all([path], WANTED).submissions) == 2
    found = find_all([path], WANTED, reading="single")
    assert [causes(each) for each in found.submissions] == [[("duplicate-file", ELBO)]]


# Names that are ours


@pytest.mark.parametrize("pack", CLASSES)
def test_a_folder_with_the_name_of_a_wanted_file_is_a_submission(
    tmp_path: Path, pack: Callable[[Path, Files], Path]
) -> None:
    files = {f"doe/{ELBO}": SOURCE, f"roe/{ELBO}": SOURCE, f"{SAMPLE}/{ELBO}": SOURCE}
    found = by_name(find([pack(tmp_path, files)], WANTED))
    assert {name: each.problems for name, each in found.items()} == {
        "doe": (), "roe": (), SAMPLE: (),
    }  # fmt: skip


@pytest.mark.parametrize("pack", CLASSES)
def test_a_stray_file_beside_a_class_is_a_submission_of_its_own(
    tmp_path: Path, pack: Callable[[Path, Files], Path]
) -> None:
    files = {f"doe/{ELBO}": SOURCE, f"roe/{ELBO}": SOURCE, ELBO: OTHER}
    found = by_name(find([pack(tmp_path, files)], WANTED))
    assert {name: each.contents for name, each in found.items()} == {
        "doe": {ELBO: SOURCE}, "roe": {ELBO: SOURCE}, "elbo_gaussian_kl": {ELBO: OTHER},
    }  # fmt: skip


def test_a_folder_in_place_of_a_wanted_file_is_said(tmp_path: Path) -> None:
    (submission,) = find([laid(tmp_path / "class", {f"doe/{ELBO}/main.py": SOURCE})], WANTED)
    assert causes(submission)[0] == ("unsafe-file", ELBO)
    assert "is a folder, not a file" in submission.problems[0].message


# What nobody wants


def test_links_beside_the_work_cost_nothing(tmp_path: Path) -> None:
    doe = laid(tmp_path / "class" / "doe", {f"hw/{ELBO}": SOURCE, "venv/pyvenv.cfg": b""})
    (doe / "venv" / "bin").mkdir()
    (doe / "venv" / "bin" / "python").symlink_to("/usr/bin/python3")
    (doe / "venv" / "lib64").symlink_to("lib")
    (doe / "latest").symlink_to(doe)
    os.mkfifo(doe / "pipe")
    (submission,) = find([doe.parent], WANTED)
    assert (submission.contents, submission.problems) == ({ELBO: SOURCE}, ())


def test_a_link_to_a_wanted_file_is_never_followed(tmp_path: Path) -> None:
    secret = laid(tmp_path / "secret", {ELBO: SOURCE}) / ELBO
    doe = laid(tmp_path / "class" / "doe", {SAMPLE: SOURCE})
    (doe / "hw").mkdir()
    (doe / "hw" / ELBO).symlink_to(secret)
    (doe / "folder").symlink_to(secret.parent)
    (submission,) = find([doe.parent], WANTED)
    assert submission.contents == {SAMPLE: SOURCE}
    assert causes(submission) == [("unsafe-file", ELBO)]


@pytest.mark.parametrize("name", ["Icon\r", "a\u200fb.txt", "\ufeffnotes.txt", "a\x1b[2J.txt"])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_odd_names_cost_nothing(tmp_path: Path, pack: Callable[[Files], bytes], name: str) -> None:
    suffix = ".zip" if pack is zipped else ".tar.gz"
    everyone = laid(tmp_path / "class", {f"doe/{ELBO}": SOURCE, f"doe/{name}": b""})
    (everyone / f"roe{suffix}").write_bytes(pack({f"hw/{ELBO}": SOURCE, f"hw/{name}": b""}))
    for submission in find([everyone], WANTED):
        assert (submission.contents, submission.problems) == ({ELBO: SOURCE}, ())
        assert all("\r" not in note and "\x1b" not in note for note in submission.notes)


@pytest.mark.parametrize("name", ["A:B test.png", "C:note.txt", "c:/note.txt", "/x", "/hw/a.zip"])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_what_begins_like_a_path_of_its_own_is_listed(
    tmp_path: Path, pack: Callable[[Files], bytes], name: str
) -> None:
    """A name that macOS writes, or an absolute one, is that of a file that was not taken."""
    (tmp_path / "doe").mkdir()
    (tmp_path / "doe" / "hw.zip").write_bytes(pack({name: b"", f"hw/{ELBO}": SOURCE}))
    (submission,) = find([tmp_path], WANTED)
    assert (submission.contents, submission.problems) == ({ELBO: SOURCE}, ())
    (note,) = submission.notes
    assert note.endswith(f"; not taken: hw.zip/{name.rpartition('/')[2]}.")


def test_a_link_is_listed(tmp_path: Path) -> None:
    doe = laid(tmp_path / "doe", {ELBO: SOURCE})
    (doe / "latest").symlink_to(doe)
    (submission,) = find([doe], WANTED)
    assert submission.notes[0].endswith("; not taken: latest.")


def test_thousands_of_other_files_cost_nothing(tmp_path: Path) -> None:
    many = {f"data/{number}.csv": b"" for number in range(3000)}
    (tmp_path / "doe.zip").write_bytes(zipped({**many, f"hw/{ELBO}": SOURCE}))
    (tmp_path / "roe.tgz").write_bytes(tarred({**many, f"hw/{ELBO}": SOURCE}))
    laid(tmp_path / "poe", {**many, f"hw/{ELBO}": SOURCE})
    for submission in find([tmp_path], WANTED):
        assert (submission.contents, submission.problems) == ({ELBO: SOURCE}, ())


def test_an_archive_that_cannot_be_opened_costs_nothing_else(tmp_path: Path) -> None:
    files = {ELBO: SOURCE, "old.zip": b"PK", "data.rar": b"Rar!", "x.zip": zipped({"../x": b""})}
    (submission,) = find([laid(tmp_path / "class" / "doe", files).parent], WANTED)
    assert (submission.contents, submission.problems) == ({ELBO: SOURCE}, ())
    assert sum("was not opened" in note for note in submission.notes) == 3


def test_work_in_an_archive_that_is_not_read_is_told(tmp_path: Path) -> None:
    (submission,) = find([laid(tmp_path / "class" / "doe", {"hw1.rar": b"Rar!"}).parent], WANTED)
    assert causes(submission) == [("empty", None)]
    message = submission.problems[0].message
    assert "hw1.rar was not opened: only .zip and .tar.gz archives are read" in message


@pytest.mark.parametrize(
    "locked",
    [
        *((ELBO, "hw"), ("",), ("mine.zip",), ("helper.py",), ("deeper.py",)),
        *((f"hw/{SAMPLE}", ELBO, "hw"),),
    ],
)
def test_what_this_machine_cannot_read_is_its_own_fault(
    tmp_path: Path, locked: tuple[str, ...]
) -> None:
    """A file, a folder, an archive, a module that comes along: nothing of it costs a point."""
    importing = {ELBO: b"import helper\n", "helper.py": b"import deeper\n", "deeper.py": b""}
    files = {**importing, f"hw/{SAMPLE}": SOURCE, "mine.zip": zipped({"policy.safetensors": b""})}
    doe = laid(tmp_path / "class" / "doe", files)
    for name in locked:
        (doe / name).chmod(0)
    try:
        with without_override():
            (submission,) = find([doe.parent], WANTED)
    finally:
        for name in reversed(locked):
            (doe / name).chmod(0o700)
    assert {cause for cause, _ in causes(submission)} == {"harness-error"}
    assert all("cannot be read here" in each.message for each in submission.problems)
    assert submission.problems[0].file in (None, *WANTED)


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EACCES, "let the grader's user read it"),
        (errno.EMFILE, "raise `ulimit -n` and grade again"),
        (errno.EIO, "see to it and grade again"),
        (errno.ENOMEM, "see to it and grade again"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_what_the_system_refuses_has_a_remedy_and_costs_no_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, remedy: str, packed: bool
) -> None:
    work: Files = {"hw.zip": zipped({ELBO: SOURCE})} if packed else {f"hw/{ELBO}": SOURCE}
    laid(tmp_path / "class" / "doe", work)
    plain = os.open

    def refused(path: str | Path, flags: int, **more: int) -> int:
        if path in (ELBO, "hw.zip"):
            raise OSError(number, os.strerror(number))
        return plain(path, flags, **more)

    monkeypatch.setattr(disk.os, "open", refused)
    (submission,) = find([tmp_path / "class"], frozenset({ELBO}))
    assert causes(submission) == [("harness-error", ELBO)]
    assert submission.problems[0].message.endswith(
        f"cannot be read here: {os.strerror(number)}; {remedy}"
    )


def test_what_is_written_to_while_it_is_read_is_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of an upload is no syntax error, and a file that is gone was handed in."""
    doe = laid(tmp_path / "class" / "doe", {ELBO: b"def elbo(x):\n", SAMPLE: SOURCE})
    look = os.fstat

    def meanwhile(descriptor: int) -> os.stat_result:
        with (doe / ELBO).open("ab") as upload:
            upload.write(b"    return x\n")
        (doe / SAMPLE).unlink(missing_ok=True)
        return look(descriptor)

    monkeypatch.setattr(disk.os, "fstat", meanwhile)
    (submission,) = find([doe.parent], frozenset({ELBO, SAMPLE}))
    assert causes(submission) == [("harness-error", ELBO), ("harness-error", SAMPLE)]
    assert "written to while it was read" in submission.problems[0].message
    assert "was there and is gone" in submission.problems[1].message


# Twice


@pytest.mark.parametrize("content", [SOURCE, OTHER])
@pytest.mark.parametrize("pack", [as_folder, as_zip])
def test_two_copies_cost_their_own_task(
    tmp_path: Path, pack: Callable[[Path, Files], Path], content: bytes
) -> None:
    files = {f"hw/{ELBO}": SOURCE, f"old/{ELBO}": content, f"hw/{SAMPLE}": SOURCE}
    everyone = laid(tmp_path / "all", {"x/empty": b""})
    pack(everyone, files)
    submission = by_name(find([everyone], WANTED))["class"]
    assert submission.contents == {SAMPLE: SOURCE}
    (problem,) = submission.problems
    assert (problem.cause, problem.file) == ("duplicate-file", ELBO)
    assert f"hw/{ELBO} and old/{ELBO}; keep one of them" in problem.message


def test_a_copy_in_an_archive_beside_is_a_copy(tmp_path: Path) -> None:
    files = {ELBO: SOURCE, "hw1.zip": zipped({ELBO: SOURCE})}
    (submission,) = find([laid(tmp_path / "class" / "doe", files).parent], WANTED)
    assert f"{ELBO} and hw1.zip/{ELBO}" in submission.problems[0].message


# Platforms


def canvas(path: Path) -> Path:
    return laid(path / "submissions", {
        f"doejane_12345_678910_{ELBO}": SOURCE,
        "doejane_LATE_12345_678911_reparam_sample-2.py": OTHER,
        "doejane_12345_678912_helper-1.py": b"y = 1\n",
        "roericha_54321_678920_hw1.zip": zipped({f"hw1/{ELBO}": OTHER}),
        "poeann_LATE_777_678930_elbo_gaussian_kl-1-2.py": SOURCE,
        "noeann_778_678931_notes.pdf": b"%PDF",
    })  # fmt: skip


def moodle(path: Path) -> Path:
    return laid(path / "submissions", {
        f"Jane Doe_12345_assignsubmission_file_/{ELBO}": SOURCE,
        f"Jane Doe_12345_assignsubmission_file_/{SAMPLE}": OTHER,
        "Jane Doe_12345_assignsubmission_onlinetext_/onlinetext.html": b"<p>",
        "Richard Roe_54321_assignsubmission_file_/hw1.zip": zipped({f"hw1/{ELBO}": OTHER}),
        f"Ann Poe_777_assignsubmission_file_{ELBO}": SOURCE,
        "Ann Noe_778_assignsubmission_file_/notes.pdf": b"%PDF",
    })  # fmt: skip


def gradescope(path: Path) -> Path:
    return laid(path / "assignment_1_export", {
        "submission_metadata.yml": b"submission_12345: {}\n",
        f"submission_12345/{ELBO}": SOURCE,
        f"submission_12345/{SAMPLE}": OTHER,
        f"submission_54321/hw1/{ELBO}": OTHER,
        f"submission_777/{ELBO}": SOURCE,
        "submission_778/notes.pdf": b"%PDF",
    })  # fmt: skip


STUDENTS = {
    canvas: ("doejane_12345", "roericha_54321", "poeann_777", "noeann_778"),
    moodle: ("Jane Doe_12345", "Richard Roe_54321", "Ann Poe_777", "Ann Noe_778"),
    gradescope: ("submission_12345", "submission_54321", "submission_777", "submission_778"),
}


def packed(path: Path) -> Path:
    target = path.with_suffix(".zip")
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(path.rglob("*")):
            archive.write(file, file.relative_to(path.parent if "export" in path.name else path))
    return target


@pytest.mark.parametrize("as_archive", [False, True])
@pytest.mark.parametrize("download", STUDENTS)
def test_downloads_of_platforms(
    tmp_path: Path, download: Callable[[Path], Path], as_archive: bool
) -> None:
    path = download(tmp_path)
    found: Found = find_all([packed(path) if as_archive else path], WANTED)
    jane, richard, ann, nobody = STUDENTS[download]
    contents = {each.name: each.contents for each in found.submissions}
    assert contents == {
        jane: {ELBO: SOURCE, SAMPLE: OTHER},
        richard: {ELBO: OTHER},
        ann: {ELBO: SOURCE},
        nobody: {},
    }
    assert len(found.classes) == 1


def test_a_file_of_canvas_that_was_handed_in_twice(tmp_path: Path) -> None:
    files = {f"doe_1_2_{ELBO}": SOURCE, "doe_1_3_elbo_gaussian_kl-2.py": OTHER}
    (submission,) = find([laid(tmp_path, files)], WANTED)
    assert causes(submission) == [("duplicate-file", ELBO)]
    assert all(name in submission.problems[0].message for name in files)


# Modules that come along


def helped(files: Files, tmp_path: Path) -> Submission:
    (submission,) = find([laid(tmp_path / "class" / "doe", files).parent], WANTED)
    return submission


def test_modules_beside_a_file_come_along_by_their_imports(tmp_path: Path) -> None:
    files = {
        f"hw/{ELBO}": b"import utils\nfrom reparam_sample import f\n",
        "hw/utils.py": b"def g():\n    import deeper.x\n",
        "hw/deeper.py": b"import utils\n",
        "hw/unused.py": b"",
        "utils.py": b"# of another folder",
        f"hw/{SAMPLE}": SOURCE,
    }
    submission = helped(files, tmp_path)
    stem = "elbo_gaussian_kl"
    assert submission.contents == {
        ELBO: files[f"hw/{ELBO}"],
        SAMPLE: SOURCE,
        f"{stem}/utils.py": files["hw/utils.py"],
        f"{stem}/deeper.py": files["hw/deeper.py"],
        f"{stem}/{SAMPLE}": SOURCE,
    }
    assert submission.problems == ()
    assert sorted(submission.left) == ["unused.py", "utils.py"]


@pytest.mark.parametrize("module", ["json", "random", "torch", "numpy", "harness", "given", "sys"])
def test_a_module_that_would_be_another_stays_behind_and_this_is_said(
    tmp_path: Path, module: str
) -> None:
    submission = helped({ELBO: f"import {module}\n".encode(), f"{module}.py": b"1/0"}, tmp_path)
    assert (list(submission.contents), submission.problems) == ([ELBO], ())
    assert any(f"{module}.py was not taken: it has the name" in each for each in submission.notes)


@pytest.mark.parametrize(
    ("line", "file", "words"),
    [
        (
            "from Utils import *",
            "utils.py",
            "imports Utils, which is not there; was utils.py meant?",
        ),
        ("import util", "utils.py", "imports util, which is not there; was utils.py meant?"),
        ("import utils", "utils.PY", "was utils.PY meant? Rename it to utils.py."),
        ("import utils", "utils (1).py", "was utils (1).py meant? Rename it to utils.py."),
        ("import utils", "utils.py.txt", "was utils.py.txt meant? Rename it to utils.py."),
        ("from .utils import *", "utils.py", "package can: write `import utils`, or `from utils i"),
        (
            "from . import utils",
            "utils.py",
            "imports utils with a dot before its name, as only fil",
        ),
        ("from .Utils import f", "utils.py", "write `import utils`, or `from utils import …`."),
    ],
)
def test_a_module_that_is_nearly_named_is_told(
    tmp_path: Path, line: str, file: str, words: str
) -> None:
    submission = helped({ELBO: f"{line}\n".encode(), file: SOURCE}, tmp_path)
    assert (list(submission.contents), submission.problems) == ([ELBO], ())
    assert submission.notes[0].startswith(f"{ELBO} imports ")
    assert words in submission.notes[0]


def test_a_module_of_a_module_that_is_nearly_named_is_told(tmp_path: Path) -> None:
    files = {ELBO: b"import utils\n", "utils.py": b"import Deeper\n", "deeper.py": b""}
    note = helped(files, tmp_path).notes[0]
    assert note.startswith("utils.py imports Deeper, which is not there; was deeper.py meant?")


@pytest.mark.parametrize("line", ["import torch", "import seaborn", "import json", "import plots"])
def test_a_module_that_nothing_resembles_is_not_told(tmp_path: Path, line: str) -> None:
    submission = helped({ELBO: f"{line}\n".encode(), "utils.py": SOURCE}, tmp_path)
    (note,) = submission.notes
    assert note.endswith("not taken: utils.py.")


@pytest.mark.parametrize("written", ["NFC", "NFD"])
@pytest.mark.parametrize("lying", ["NFC", "NFD"])
@pytest.mark.parametrize("pack", [None, zipped, tarred])
def test_how_an_accent_is_encoded_does_not_matter(
    tmp_path: Path, written: Form, lying: Form, pack: Callable[[Files], bytes] | None
) -> None:
    """A module is found, and is called what Python looks for."""
    text = unicodedata.normalize(written, "import modülé\n").encode()
    files = {ELBO: text, unicodedata.normalize(lying, "modülé.py"): SOURCE}
    submission = helped(files if pack is None else {"hw.zip": pack(files)}, tmp_path)
    name = unicodedata.normalize("NFC", f"{ELBO[:-3]}/modülé.py")
    assert submission.contents == {ELBO: text, name: SOURCE}
    assert (submission.problems, submission.notes) == ((), ())


def test_helpers_have_limits(tmp_path: Path) -> None:
    names = [f"m{number}" for number in range(20)]
    files = {ELBO: f"import {', '.join(names)}\n".encode(), **{f"{name}.py": b"" for name in names}}
    submission = helped(files, tmp_path)
    assert len(submission.contents) == 1 + Limits().helpers
    assert any("at most 16 modules and 1 MiB come along" in note for note in submission.notes)


def test_nothing_comes_along_with_a_file_that_was_handed_in_alone(tmp_path: Path) -> None:
    everyone = laid(tmp_path, {"utils.py": SOURCE, "doe/x": b"", ELBO: b"import utils\n"})
    (submission,) = find([everyone / ELBO], WANTED)
    assert list(submission.contents) == [ELBO]


def test_data_stays_behind_and_this_is_said(tmp_path: Path) -> None:
    submission = helped({ELBO: SOURCE, "constants.json": b"{}"}, tmp_path)
    (note,) = submission.notes
    assert note.endswith("were taken; not taken: constants.json.")


def test_a_package_stays_behind_and_is_known_by_its_name(tmp_path: Path) -> None:
    files = {ELBO: b"from mylib.kl import f\n", "mylib/__init__.py": b"", "mylib/kl.py": b""}
    submission = helped(files, tmp_path)
    assert list(submission.contents) == [ELBO]
    assert submission.left == ("__init__.py", "kl.py", "mylib")


# What is missing


@pytest.mark.parametrize(
    "name",
    [
        "Reparam_Sample.py", "reparam_sample (1).py", "reparam-sample.py", "reparam_sample-2.py",
        "reparamsample.py", "reparam_sample.PY", "reparam_sample.py.txt", "reparm_sample.py",
        "copy of reparam_sample.py", "reparam_sample_final.py", "deep/Reparam_Sample.py",
    ],
)  # fmt: skip
def test_the_nearest_unused_file_is_named(tmp_path: Path, name: str) -> None:
    submission = helped({ELBO: SOURCE, name: SOURCE, "notes.txt": b"", "run.py": b""}, tmp_path)
    (problem,) = submission.problems
    assert (problem.cause, problem.file) == ("missing-file", SAMPLE)
    assert problem.message == f"reparam_sample.py was not submitted; found {name}"


def test_several_missing_files_get_each_its_own(tmp_path: Path) -> None:
    files = {"Elbo-Gaussian-KL.py": SOURCE, "ReparamSample.py": SOURCE}
    messages = [problem.message for problem in helped(files, tmp_path).problems[:2]]
    assert messages == [
        "elbo_gaussian_kl.py was not submitted; found Elbo-Gaussian-KL.py",
        "reparam_sample.py was not submitted; found ReparamSample.py",
    ]


#: A notebook in which no cell is marked.
NOTEBOOK = b'{"cells": [{"cell_type": "code", "source": "x = 1"}], "nbformat": 4}'


@pytest.mark.parametrize("name", ["reparam_sample.ipynb", "Homework 3.ipynb"])
def test_a_notebook_says_what_to_do_instead(tmp_path: Path, name: str) -> None:
    (problem,) = helped({ELBO: SOURCE, name: NOTEBOOK}, tmp_path).problems
    assert problem.message.startswith(f"reparam_sample.py was not submitted; found {name}, a note")
    assert "jupyter nbconvert --to script" in problem.message


def test_what_is_called_a_notebook_and_has_no_cells_is_no_notebook(tmp_path: Path) -> None:
    (problem,) = helped({ELBO: SOURCE, "reparam_sample.ipynb": b"{}"}, tmp_path).problems
    assert problem.message == (
        "reparam_sample.py was not submitted; found reparam_sample.ipynb, which is no notebook: it "
        "has no cells; save it in Jupyter again and hand that in"
    )


def test_a_file_that_nothing_resembles_is_missing_without_a_hint(tmp_path: Path) -> None:
    assert helped({ELBO: SOURCE, "main.py": SOURCE}, tmp_path).problems == ()


def test_names_of_two_students_of_a_platform_are_not_merged(tmp_path: Path) -> None:
    files = {f"doe_1_2_{ELBO}": SOURCE, "doe_1/x.py": b""}
    with pytest.raises(UsageError, match="two submissions are called doe_1"):
        find([laid(tmp_path, files)], WANTED)
