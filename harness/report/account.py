"""The account of one mark as text: what ``explain`` prints, for an instructor or for a student.

What is told to whom is settled in the document that this is made from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.report.marks import points_text
from harness.report.sanitise import EXAMPLE_LIMIT, SENTENCE_LIMIT, clean

_EVIDENCE_LIMIT = 200
_DIGITS = 16


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    """The document as text, every line safe to print."""
    who = ", ".join(document["students"])
    if document["students"] != [document["submission"]]:
        who += f" (handed in as {document['submission']})"
    points = f"{points_text(document['points'])} of {points_text(document['max_points'])} points"
    provisional = ", provisional" if document["provisional"] else ""
    yield _one(f"{who}: {document['task']} ({document['title']}), {points}{provisional}")
    assignment = f"assignment {document['assignment']}, " if document["assignment"] else ""
    yield _one(f"{assignment}phase {document['phase']}, key SHA-256 {document['key_sha256']}")
    if document["stale"]:
        yield _one(f"stale: {document['stale']}")
    for mark in document["marks"]:
        of = f"{mark['student']}: " if len(document["marks"]) > 1 else ""
        yield _one(f"mark of the whole: {of}{mark['sum']}, of {points_text(mark['max_points'])}")
        yield from (_one(f"  {text}") for text in mark["adjustments"])
        if mark["submitted"] and not mark["adjustments"]:
            yield _one(f"  handed in: {mark['submitted']}")
        yield from (_one(f"  {text}") for text in mark["notes"])
        if mark["extension"]:
            yield _one(f"  extension: {mark['extension']}")
        for attempt in mark["attempts"]:
            counts = "; this one counts" if attempt["counts"] else ""
            words = (
                f"attempt of {attempt['submitted']}: mark {points_text(attempt['mark'])}{counts}"
            )
            yield _one(f"  {words}")
    for file in document["files"]:
        yield _one(f"file {file['name']}, {file['size']} bytes, SHA-256 {file['sha256']}")
    if document["not_loaded"]:
        yield ""
        yield from _not_loaded(document)
    else:
        for check in document["checks"]:
            yield ""
            yield from _check(check)
    yield from _rates(document["checks"])
    yield ""
    yield "to repeat it:"
    for each in document["repeat"]:
        yield _one(f"- {each['what']}")
        if each["command"]:
            yield f"    {_one(each['command'])}"


def _check(check: Mapping[str, Any]) -> Iterator[str]:
    cause = f" ({check['cause']})" if check["cause"] else ""
    hidden = ", hidden" if check["visibility"] == "hidden" else ""
    kind = f"; kind {check['kind']}" if "kind" in check else ""
    points = f"{points_text(check['points'])} of {points_text(check['max_points'])} points"
    yield _one(f"{check['id']}{hidden}: {check['status']}{cause}, {points}{kind}")
    for line in check["said"]:
        text = clean(line["text"], EXAMPLE_LIMIT, keep="\n")
        if line["code"] or "\n" in text:
            yield f"  {line['label']}:"
            yield from (f"    {each}" for each in text.split("\n"))
        else:
            yield f"  {line['label']}: {text}"
    if check.get("fault"):
        yield _one(f"  Our fault, for you alone: {check['fault']}")
    if check.get("withheld"):
        yield _one(f"  Said on an instance that is marked, for you alone: {check['withheld']}")
    if check.get("evidence"):
        figures = "; ".join(
            f"{key} {_figure(value)}"
            for key, value in check["evidence"].items()
            if value not in ({}, [], (), "")
        )
        yield _one(f"  Evidence, for you alone: {figures}")
    yield from _trials(check)


def _not_loaded(document: Mapping[str, Any]) -> Iterator[str]:
    """One block instead of the same lines at every check."""
    first = next(each for each in document["checks"] if each["status"] == "ERROR")
    yield _one(f"{document['not_loaded']}: ERROR ({first['cause']})")
    yield from (_one(f"  {line['label']}: {line['text']}") for line in first["said"])
    yield from _trials(first)


def _trials(check: Mapping[str, Any]) -> Iterator[str]:
    for trial in check.get("trials", ()):
        yield _one(f"  Trial: {_trial(trial)}")


def _rates(checks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What is declared of the checks; those of which the same is said stand together."""
    together: dict[str, list[str]] = {}
    for check in checks:
        if "error_rate" in check:
            together.setdefault(check["error_rate"]["words"], []).append(check["id"])
    if together:
        yield ""
        yield "error rates, as declared:"
    for words, ids in together.items():
        yield _one(f"- {', '.join(ids)}: {words}")


def _trial(trial: Mapping[str, Any]) -> str:
    seed = "seed common to the class" if trial["common"] else "seed of the submission's own"
    cause = f" ({trial['cause']})" if trial["cause"] else ""
    digests = " and ".join(each[:_DIGITS] for each in trial["observations"])
    apart = "; it did not repeat" if len(trial["observations"]) > 1 else ""
    return (
        f"{trial['measurement']}, stage {trial['stage']}, number {trial['replicate']}, {seed}; "
        f"{trial['outcome']}{cause} at {trial['isolation']}, {trial['cpu_s']:.2g} processor "
        f"seconds; digest {trial['trial'][:_DIGITS]}, observed {digests}{apart}"
    )


def _figure(value: Any) -> str:
    """A figure of the evidence, short."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return clean(f"[{', '.join(map(_figure, value))}]", _EVIDENCE_LIMIT)
    if isinstance(value, Mapping):
        parts = ", ".join(f"{key} {_figure(item)}" for key, item in value.items())
        return clean(f"({parts})", _EVIDENCE_LIMIT)
    return clean(str(value), _EVIDENCE_LIMIT)


def _one(text: str) -> str:
    """One line that is safe to print."""
    return clean(text, 2 * SENTENCE_LIMIT)
