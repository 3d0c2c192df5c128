"""Paths that are not what they seem, or are exchanged while they are read."""

from __future__ import annotations

import difflib
import io
import json
import os
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.results import Results
from harness.submissions import Limits, disk, find, find_all, hints

ELBO, WEIGHTS = "elbo.py", "policy.safetensors"
WANTED = frozenset({ELBO, WEIGHTS})
SOURCE, OTHER = b"x = 1\n", b"x = 2\n"


def archive(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return stream.getvalue()


def folder(path: Path, content: bytes = SOURCE) -> Path:
    path.mkdir()
    (path / ELBO).write_bytes(content)
    return path


def found(path: Path, limits: Limits | None = None) -> tuple[dict[str, bytes], list[str]]:
    (submission,) = find([path], WANTED, limits)
    files = {
        name: submission.contents[name] for name in sorted(WANTED & submission.contents.keys())
    }
    return files, [problem.cause for problem in submission.problems]


def fifo(path: Path) -> None:
    os.mkfifo(path)


def bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.open(path.parent, os.O_RDONLY)
        try:
            listener.bind(f"/proc/self/fd/{here}/{path.name}")
        finally:
            os.close(here)


def link_to_zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def link_to_a_file(path: Path) -> None:
    secret = path.parent.with_name(path.parent.name + "-secret")
    secret.write_bytes(SOURCE)
    path.symlink_to(secret)


MADE: list[Callable[[Path], None]] = [
    *(fifo, bound, link_to_zeros, link_to_itself, link_to_a_file),
]


@pytest.mark.parametrize("make", MADE)
@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", ELBO, WEIGHTS])
def test_a_special_file_in_place_of_a_submission(
    tmp_path: Path, make: Callable[[Path], None], name: str
) -> None:
    make(tmp_path / name)
    assert found(tmp_path / name) == ({}, ["unsafe-file"])


@pytest.mark.parametrize("make", MADE)
@pytest.mark.parametrize("name", ["a.zip", "a.tgz", "stray"])
def test_a_special_file_among_submissions_costs_no_other(
    tmp_path: Path, make: Callable[[Path], None], name: str
) -> None:
    folder(tmp_path / "honest")
    make(tmp_path / name)
    submissions = {each.name: each for each in find([tmp_path], WANTED)}
    assert submissions.pop("honest").problems == ()
    assert [each.files for each in submissions.values()] in ([], [{}])


def test_a_device_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "open", pytest.fail)
    (submission,) = find([Path("/dev/zero")], frozenset({"zero"}))
    assert [problem.cause for problem in submission.problems] == ["unsafe-file"]


@pytest.mark.parametrize("name", ["a.zip", ELBO])
@pytest.mark.parametrize("make", MADE)
def test_a_file_exchanged_after_it_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, make: Callable[[Path], None]
) -> None:
    path = tmp_path / name
    path.write_bytes(archive({ELBO: SOURCE}) if name == "a.zip" else SOURCE)
    look = os.stat

    def exchange(target: Any, **options: Any) -> os.stat_result:
        seen = look(target, **options)
        if options.get("follow_symlinks") is False and os.path.lexists(path):
            path.unlink()
            make(path)
        return seen

    monkeypatch.setattr(disk.os, "stat", exchange)
    (submission,) = find([path], WANTED)
    assert (submission.files, [each.cause for each in submission.problems]) == (
        {},
        ["unsafe-file"],
    )


def test_a_folder_exchanged_for_a_link_is_read_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(tmp_path / "secret", OTHER)
    everyone = tmp_path / "all"
    everyone.mkdir()
    path = folder(everyone / "alice")
    scan = os.scandir

    def exchange(target: Any) -> Any:
        entries = scan(target)
        if not path.is_symlink():
            path.rename(tmp_path / "moved")
            path.symlink_to(tmp_path / "secret")
        return entries

    monkeypatch.setattr(disk.os, "scandir", exchange)
    (submission,) = find([everyone], WANTED)
    assert submission.contents in ({ELBO: SOURCE}, {})  # read as it was, or refused as a link


def test_a_file_that_grows_while_it_is_read_is_cut_at_the_limit(tmp_path: Path) -> None:
    with (tmp_path / "a.zip").open("wb") as stream:
        stream.truncate(1 << 40)  # a terabyte, none of it on the disk
    assert found(tmp_path / "a.zip", Limits(archive_bytes=1 << 20)) == ({}, ["too-large"])
    assert found(folder(tmp_path / "b"), Limits(source_bytes=3)) == ({}, ["too-large"])


def test_a_folder_of_many_files(tmp_path: Path) -> None:
    path = folder(tmp_path / "a")
    for number in range(20):
        (path / f"f{number}").touch()
    (path / "sub").mkdir()
    assert found(path, Limits(entries=5)) == ({ELBO: SOURCE}, [])


@pytest.mark.parametrize("name", ["x", "n" * 60_000])
def test_a_near_miss_is_looked_for_among_few_names(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    compared = []
    close = difflib.get_close_matches

    def counted(word: str, *args: Any, **options: Any) -> list[str]:
        compared.append(word)
        return close(word, *args, **options)

    monkeypatch.setattr(difflib, "get_close_matches", counted)
    names = (f"{name}{number}" for number in range(1_000_000))
    assert hints.nearest(((each,) for each in (names if name == "x" else [name] * 9)), WANTED)
    assert len(compared) <= 100
    assert all(len(word) <= 80 for word in compared)


SHADOWS = ("torch.py", "json.py", "conftest.py", "sitecustomize.py", "harness.py", "noxfile.py")


@pytest.mark.parametrize("packed", [False, True])
def test_files_that_would_hide_a_module_are_left_behind_silently(
    tmp_path: Path, packed: bool
) -> None:
    files = {name: b"raise SystemExit" for name in (*SHADOWS, "usercustomize.py", "x.pth")}
    path = tmp_path / "a.zip"
    if packed:
        path.write_bytes(archive({ELBO: SOURCE, **files, "numpy/__init__.py": b"1/0"}))
    else:
        path = folder(tmp_path / "a")
        (path / "numpy").mkdir()
        (path / "numpy" / "__init__.py").write_bytes(b"1/0")
        for name, content in files.items():
            (path / name).write_bytes(content)
    assert found(path) == ({ELBO: SOURCE}, [])


def test_a_path_that_is_no_submission_is_named_safely(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[2J\u202e.txt"
    path.touch()
    with pytest.raises(UsageError) as caught:
        find([path], WANTED)
    assert str(caught.value).isprintable()


def test_a_results_folder_among_submissions_is_none(tmp_path):
    """Whoever writes results beside what is graded finds no submission more in the next run."""
    wanted = frozenset({"solution.py"})
    for name in ("ann", "bob"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "solution.py").write_text("x = 1\n")
    results = Results(tmp_path / "results")
    results.make(["ann"])
    results.ledger.touch()
    found = find_all([tmp_path], wanted)
    assert [each.name for each in found.submissions] == ["ann", "bob"]
    assert found.results == (results.root,)


@pytest.mark.parametrize("place", ["solution.py", "hw1/solution.py", "hw1.zip"])
def test_work_beside_a_file_that_is_called_like_a_ledger_is_found(tmp_path, place):
    wanted = frozenset({"solution.py"})
    for name in ("ann", "bob"):
        path = tmp_path / name / place
        path.parent.mkdir(parents=True)
        if place.endswith(".zip"):
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("solution.py", "x = 1\n")
        else:
            path.write_text("x = 1\n")
        (tmp_path / name / "ledger.sqlite").touch()
    found = find_all([tmp_path], wanted)
    assert [each.name for each in found.submissions] == ["ann", "bob"]
    assert all(each.files for each in found.submissions)
    assert found.results == ()


def test_a_notebook_beside_its_results_stays_one_submission(tmp_path):
    cells = [{"cell_type": "code", "source": "# fairmark: solution\nx = 1", "metadata": {}}]
    (tmp_path / "hw.ipynb").write_text(json.dumps({"cells": cells}))
    wanted = frozenset({"solution.py"})
    assert [each.name for each in find([tmp_path], wanted)] == [tmp_path.name]
    results = Results(tmp_path / "results")
    results.make()
    results.ledger.touch()
    assert [each.name for each in find([tmp_path], wanted)] == [tmp_path.name]
