"""Finds submissions and reads their files, without following links."""

from __future__ import annotations

import ast
import contextlib
import errno
import io
import json
import os
import stat
import tokenize
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from harness.errors import ArchiveError, InfrastructureError, UsageError
from harness.submissions.archives import (
    check_format,
    is_archive,
    is_litter,
    unpack,
    without_suffix,
)
from harness.submissions.records import (
    Limits,
    Reader,
    Submission,
    SubmissionProblem,
    Taken,
    display,
    nearest,
    nothing_wanted,
    sha256_of,
    size_in_words,
)


def find(
    paths: Sequence[Path], wanted: frozenset[str], limits: Limits | None = None
) -> list[Submission]:
    """Find the submissions at some paths, in the order of the paths and then of their names.

    A folder that directly holds a wanted file is one submission; any other folder is a folder
    of submissions. A wanted file by itself and an archive are submissions too.

    Args:
        paths: submissions and folders of submissions.
        wanted: the names of the files that tasks ask for.
        limits: bounds on what is read; the defaults of :class:`Limits` if None.

    Raises:
        UsageError: a path does not exist or holds no submission, a folder cannot be listed, or
            two submissions have the same name.
    """
    by_name: dict[str, Submission] = {}
    for path in paths:
        for entry, name in _entries(path, wanted):
            submission = _submission(entry, name, wanted, limits or Limits())
            if submission.name in by_name:
                raise UsageError(
                    f"two submissions are called {submission.display_name}:"
                    f" {display(by_name[submission.name].path)} and {display(submission.path)};"
                    " rename or remove one of them"
                )
            by_name[submission.name] = submission
    return list(by_name.values())


def copy_to(submission: Submission, directory: Path, names: Iterable[str]) -> None:
    """Write those of the named files that the submission has into a directory, read-only.

    Raises:
        InfrastructureError: a file changed since the submission was found, exists already in the
            directory, or cannot be written.
    """
    for name, content in submission.read(names).items():
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(directory / name, flags, 0o444)
            with open(descriptor, "wb") as stream:
                stream.write(content)
                os.fchmod(descriptor, 0o444)
        except OSError as error:
            message = f"{display(name)} cannot be written: {error.strerror}"
            raise InfrastructureError(message) from None


# Where submissions are


def _entries(path: Path, wanted: frozenset[str]) -> Iterator[tuple[Path, str]]:
    """The path itself if it is one submission, else the submissions in it, each with its name."""
    shown = display(str(path))
    name = os.path.basename(os.path.abspath(path)) or "submission"
    if not os.path.lexists(path):
        raise UsageError(f"{shown} does not exist; give a submission or a folder of submissions")
    if not path.is_dir():
        if path.name not in wanted and not is_archive(name):
            near = nearest([name], wanted)
            raise UsageError(f"{shown} is no submission; give a folder or an archive{near}")
        yield path, name
        return
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        raise UsageError(f"{shown} cannot be listed: {error.strerror}; check its mode") from None
    # A link that the grader names is followed; links inside a submission never are.
    folder = Path(os.path.realpath(path))
    if wanted.intersection(names):
        yield folder, name
        return
    entries = [(folder / name, name) for name in names if not is_litter(name)]
    submissions = [(entry, name) for entry, name in entries if _is_submission(entry)]
    if not submissions:
        raise UsageError(f"{shown} holds no submission; put one folder a submission into it")
    yield from submissions


def _is_submission(path: Path) -> bool:
    return path.is_dir() or path.is_symlink() or path.suffix == ".py" or is_archive(path.name)


def _submission(path: Path, name: str, wanted: frozenset[str], limits: Limits) -> Submission:
    reader: Reader = _read_folder
    if not path.is_dir() and is_archive(name):
        reader, name = _read_archive, without_suffix(name)
    elif not path.is_dir() and (path.suffix == ".py" or path.name in wanted):
        reader, name = _read_lone_file, path.stem
    try:
        contents, problems = reader(path, wanted, limits)
    except ArchiveError as error:
        contents, problems = {}, [SubmissionProblem(error.cause, error.message)]
    for file, content in contents.items():
        if file.endswith(".py") and (problem := _source_problem(file, content)):
            problems.append(problem)
    files = {file: sha256_of(contents[file]) for file in sorted(contents)}
    digest = sha256_of(json.dumps(sorted(files.items())).encode())
    return Submission(name, str(path), files, digest, tuple(problems), reader, limits)


def _source_problem(file: str, content: bytes) -> SubmissionProblem | None:
    """What keeps a source file from being run: no UTF-8 text, or no valid Python; else None.

    The file is parsed, not run.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        message = f"{file} is not UTF-8 text: byte 0x{content[error.start]:02x} in line {line}"
        return SubmissionProblem("not-text", message, file, line)
    if "\0" in text:
        return SubmissionProblem("not-text", f"{file} holds a NUL byte", file)
    # SyntaxError: the declared encoding does not exist; the parser below reports that.
    with contextlib.suppress(SyntaxError):
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        if encoding not in ("utf-8", "utf-8-sig", "ascii", "iso-8859-1"):
            # Python would decode the file differently, and so run another text than the one
            # that is parsed here.
            message = f"{file} declares the encoding {display(encoding)}; write it in UTF-8"
            return SubmissionProblem("not-text", message, file, 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        where = f"{file}, line {error.lineno}" if error.lineno else file
        message = f"{where}: {display(error.msg)}"
        return SubmissionProblem("syntax", message, file, error.lineno)
    except (ValueError, RecursionError, MemoryError, OverflowError):
        message = f"{file} is nested too deeply for Python's parser"
        return SubmissionProblem("syntax", message, file)
    return None


# Reading files


def _read_folder(path: Path, wanted: frozenset[str], limits: Limits) -> Taken:
    """The wanted files of a folder.

    The folder is opened once and its files are opened relative to it, so that nobody can put
    another folder in its place between two of them.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        if path.is_symlink():
            raise ArchiveError("unsafe-file", f"{display(path.name)} is a link")
        folder = os.open(path, flags)
    except OSError as error:
        message = f"the folder cannot be read: {error.strerror}"
        raise ArchiveError("unsafe-file", message) from None
    try:
        return _read_opened_folder(folder, wanted, limits)
    finally:
        os.close(folder)


def _read_opened_folder(folder: int, wanted: frozenset[str], limits: Limits) -> Taken:
    names = _names_in(folder, limits)
    contents: dict[str, bytes] = {}
    problems: list[SubmissionProblem] = []
    for name in names:
        if name not in wanted:
            continue
        try:
            content = _read_regular(name, limits.of(name), folder)
            if sum(map(len, contents.values())) + len(content) > limits.total_bytes:
                message = f"the files up to {name} are together larger than"
                raise ArchiveError("too-large", f"{message} {size_in_words(limits.total_bytes)}")
            contents[name] = content
        except ArchiveError as error:
            problems.append(SubmissionProblem(error.cause, error.message, name))
    if not contents and not problems:
        problems.append(nothing_wanted(names, wanted))
    return contents, problems


def _names_in(folder: int, limits: Limits) -> list[str]:
    names: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if len(names) == limits.folder_entries:
                    count = f"more than {limits.folder_entries} files and folders"
                    message = f"the folder holds {count}; hand in only what is asked for"
                    raise ArchiveError("too-large", message)
                names.append(entry.name)
    except OSError as error:
        message = f"the folder cannot be read: {error.strerror}"
        raise ArchiveError("unsafe-file", message) from None
    return sorted(names)


def _read_lone_file(path: Path, wanted: frozenset[str], limits: Limits) -> Taken:
    if path.name not in wanted:
        return {}, [nothing_wanted([path.name], wanted)]
    try:
        return {path.name: _read_regular(path, limits.of(path.name))}, []
    except ArchiveError as error:
        return {}, [SubmissionProblem(error.cause, error.message, path.name)]


def _read_archive(path: Path, wanted: frozenset[str], limits: Limits) -> Taken:
    check_format(path.name)
    data = _read_regular(path, limits.archive_bytes)
    try:
        return unpack(path.name, data, wanted, limits)
    except ArchiveError:
        raise
    except Exception as error:  # an archive that breaks its reader must not end the whole run
        message = f"the archive cannot be read ({type(error).__name__})"
        raise ArchiveError("unreadable-archive", message) from None


def _read_regular(path: Path | str, limit: int, folder: int | None = None) -> bytes:
    """The content of a regular file of at most ``limit`` bytes; raises ArchiveError.

    Links are not followed, and opening a FIFO does not block. ``folder`` is the descriptor of the
    folder that the path is relative to.
    """
    name = display(os.path.basename(path))
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        # Checked before opening, since opening a device may already act on it, and again after,
        # since the file may have been replaced in between.
        if not stat.S_ISREG(os.stat(path, dir_fd=folder, follow_symlinks=False).st_mode):
            raise ArchiveError("unsafe-file", f"{name} is not a regular file")
        with open(os.open(path, flags, dir_fd=folder), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise ArchiveError("unsafe-file", f"{name} is not a regular file")
            content = stream.read(limit + 1)
    except OSError as error:
        reason = "is a link" if error.errno == errno.ELOOP else f"cannot be read: {error.strerror}"
        raise ArchiveError("unsafe-file", f"{name} {reason}") from None
    if len(content) > limit:
        raise ArchiveError("too-large", f"{name} is larger than {size_in_words(limit)}")
    return content
