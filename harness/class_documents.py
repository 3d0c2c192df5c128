"""How the record of a class lies in the ledger: a document a subject, so that a run writes what it
changed alone, one document that lists the records, and the submitted files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.class_record import INDEX, ClassRecord, Entry, RecordName
from harness.ledger import Ledger
from harness.marking.gradebook import TaskGrade
from harness.marking.subjects import Subject
from harness.records import Program, Verdict, canonical, sha256


def read(ledger: Ledger, name: RecordName) -> ClassRecord:
    """The record of that name; empty where there is none yet."""
    index = ledger.document(INDEX) or {"records": {}}
    head = index["records"].get(name.prefix)
    if head is None:
        return ClassRecord(name)
    newest, entries = {}, {}
    for stored_name, document in ledger.documents(name.prefix).items():
        subject_name = stored_name.removeprefix(name.prefix)
        subjects = {
            digest: _subject(subject_name, record, ledger)
            for digest, record in document["submissions"].items()
        }
        newest[subject_name] = subjects[document["newest"]]
        for task, record in document["tasks"].items():
            grade = TaskGrade(
                task,
                record["title"],
                record["tier"],
                record["max_points"],
                tuple(Verdict.from_json(verdict) for verdict in record["verdicts"]),
                pictures=tuple(record.get("pictures", ())),  # earlier versions drew none
                no_pictures=record.get("no_pictures", ""),
                counts=record.get("counts", True),  # nor knew tasks that had left an assignment
            )
            subject = subjects[record["submission"]]
            entries[subject_name, task] = Entry(subject, grade, frozenset(record["isolation"]))
    return ClassRecord(name, head["key_file"], head["isolation"], newest, entries)


def write(record: ClassRecord, ledger: Ledger, names: Iterable[str]) -> None:
    """Stores a record: its head, which is then the latest, and the subjects of these names.

    Their files must have been stored by :func:`keep_files`. Subjects that the record no longer has
    are removed.
    """
    index = ledger.document(INDEX) or {"records": {}}
    head = {**vars(record.name), "key_file": record.key_file, "isolation": record.isolation}
    prefix = record.name.prefix
    by_name = record.by_subject()
    documents = {
        prefix + name: _document(record.newest[name], by_name[name])
        for name in names
        if name in record.newest
    }
    stored = ledger.document_names(prefix)
    gone = [name for name in stored if name.removeprefix(prefix) not in record.newest]
    documents[INDEX] = {"latest": prefix, "records": {**index["records"], prefix: head}}
    ledger.put_documents(documents, remove=gone)


def names(ledger: Ledger) -> list[RecordName]:
    """The names of all records of a results folder, the one that was written last at the end."""
    index = ledger.document(INDEX)
    if index is None:
        return []
    heads = sorted(index["records"].items(), key=lambda item: item[0] == index["latest"])
    return [RecordName(head["assignment"], head["phase"], head["key_sha256"]) for _, head in heads]


def keep_files(subjects: Iterable[Subject], ledger: Ledger) -> None:
    """Stores the submitted files, before anything is run."""
    ledger.put_files(
        {
            subject.program.all_digests[name]: content
            for subject in subjects
            for name, content in subject.program.files.items()
        }
    )


def _document(newest: Subject, entries: Sequence[Entry]) -> dict[str, Any]:
    """The stored form of one subject."""
    digests = {entry.grade.id: _digest(entry.subject) for entry in entries}
    submissions = {digests[entry.grade.id]: entry.subject for entry in entries}
    submissions[_digest(newest)] = newest
    return {
        "newest": _digest(newest),
        "submissions": {digest: _stored(subject) for digest, subject in submissions.items()},
        "tasks": {
            entry.grade.id: {
                "submission": digests[entry.grade.id],
                "isolation": sorted(entry.isolation),
                "title": entry.grade.title,
                "tier": entry.grade.tier,
                "max_points": entry.grade.max_points,
                "verdicts": [verdict.to_json() for verdict in entry.grade.verdicts],
                "pictures": list(entry.grade.pictures),
                "no_pictures": entry.grade.no_pictures,
                "counts": entry.grade.counts,
            }
            for entry in entries
        },
    }


def _digest(subject: Subject) -> str:
    """What tells the submissions of one subject apart."""
    content = [_problems(subject), list(subject.notes), list(subject.left)]
    return sha256(canonical([dict(subject.program.all_digests), *content]))


def _problems(subject: Subject) -> dict[str, list[str]]:
    return {name: list(problem) for name, problem in subject.problems.items()}


def _stored(subject: Subject) -> dict[str, Any]:
    return {
        "display_name": subject.display_name,
        "identity": subject.identity,
        "problems": _problems(subject),
        "notes": list(subject.notes),
        "left": list(subject.left),
        "submitted": subject.submitted,
        "remark": subject.remark,
        "unit": subject.program.unit,
        "files": dict(subject.program.all_digests),
    }


def _subject(name: str, record: Mapping[str, Any], ledger: Ledger) -> Subject:
    files = {file: ledger.file(digest) for file, digest in record["files"].items()}
    problems = {file: (cause, text) for file, (cause, text) in record["problems"].items()}
    program = Program(name, "submission", files, record.get("unit", ""))
    return Subject(
        program,
        record["display_name"],
        record["identity"],
        problems,
        tuple(record["notes"]),
        tuple(record["left"]),
        record.get("submitted", ""),  # records of earlier versions have none of these three
        record.get("remark", ""),
    )
