"""What a submission is called in a report, and the folder its own reports are written to."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter

from harness.errors import UsageError
from harness.marking.gradebook import Gradebook, SubmissionGrade
from harness.report.sanitise import NAME_LIMIT, clean

_SLUG_LIMIT = 48
_TAIL_DIGITS = 8
_TAIL = re.compile(rf"-[0-9a-f]{{{_TAIL_DIGITS},64}}$")
#: Folders of results/ that are no submission's. Files there have a suffix, folder names never do.
_RESERVED = frozenset({"site"})


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _slug(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    slug = re.sub(r"[^A-Za-z0-9_]+", "-", ascii_name).strip("-")[:_SLUG_LIMIT].strip("-")
    return slug or "submission"


def folder_name(name: str) -> str:
    """A folder name for a subject: ASCII letters, digits, ``_`` and ``-``; never a path.

    A name that is already one stays as it is. Any other is turned into one and gets eight
    hexadecimal digits of the name's SHA-256, so that different names keep different folders; a
    name that ends like that itself gets them too and so cannot pose as another's.
    """
    slug = _slug(name)
    if slug == name and slug.lower() not in _RESERVED and not _TAIL.search(name):
        return name
    return f"{slug}-{_digest(name)[:_TAIL_DIGITS]}"


def folders(gradebook: Gradebook) -> dict[str, str]:
    """The folder of every submission by its name, all different.

    Names that differ only in case get the whole digest, since some file systems would merge them.

    Raises:
        UsageError: two submissions have the same name.
    """
    _refuse_duplicates(gradebook)
    chosen = {row.name: folder_name(row.name) for row in gradebook.submissions}
    taken = Counter(folder.lower() for folder in chosen.values())
    return {
        name: folder if taken[folder.lower()] == 1 else f"{_slug(name)}-{_digest(name)}"
        for name, folder in chosen.items()
    }


def shown(row: SubmissionGrade) -> str:
    """The display name, made safe once more; never empty."""
    return clean(row.display_name, NAME_LIMIT).strip() or "unnamed"


def labels(gradebook: Gradebook) -> dict[str, str]:
    """What to call every submission in a table, by its name, all different.

    The display name, as a rule. Of several submissions that would show the same one, those whose
    name it is not get eight digits of their name's SHA-256: nobody takes another's place.

    Raises:
        UsageError: two submissions have the same name.
    """
    _refuse_duplicates(gradebook)
    taken = Counter(shown(row) for row in gradebook.submissions)
    chosen: dict[str, str] = {}
    for row in gradebook.submissions:
        label = shown(row)
        if taken[label] > 1 and label != row.name:
            label = f"{label} [{_digest(row.name)[:_TAIL_DIGITS]}]"
        chosen[row.name] = label
    return chosen


def _refuse_duplicates(gradebook: Gradebook) -> None:
    counts = Counter(row.name for row in gradebook.submissions)
    doubled = [clean(ascii(name), NAME_LIMIT) for name, count in counts.items() if count > 1]
    if doubled:
        listed = ", ".join(sorted(doubled))
        raise UsageError(f"more than one submission is called {listed}; names must differ")
