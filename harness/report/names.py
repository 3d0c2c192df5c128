"""What a submission is called in a report."""

from __future__ import annotations

import hashlib
from collections import Counter

from harness.errors import UsageError
from harness.marking.gradebook import Gradebook, SubmissionGrade
from harness.report.sanitise import NAME_LIMIT, clean

_DIGEST_DIGITS = 8


def shown(row: SubmissionGrade) -> str:
    """The display name, sanitised; never empty."""
    return clean(row.display_name, NAME_LIMIT).strip() or "unnamed"


def labels(gradebook: Gradebook) -> dict[str, str]:
    """What to call every submission in a table, by its name, all different.

    This is the display name as a rule. Where several submissions would show the same one, those
    whose name differs from it get eight digits of their name's SHA-256, so that none can be taken
    for another.

    Raises:
        UsageError: two submissions have the same name.
    """
    refuse_duplicates(gradebook)
    counts = Counter(shown(row) for row in gradebook.submissions)
    chosen: dict[str, str] = {}
    for row in gradebook.submissions:
        label = shown(row)
        if counts[label] > 1 and label != row.name:
            digest = hashlib.sha256(row.name.encode("utf-8", "surrogatepass")).hexdigest()
            label = f"{label} [{digest[:_DIGEST_DIGITS]}]"
        chosen[row.name] = label
    return chosen


def refuse_duplicates(gradebook: Gradebook) -> None:
    """Every submission must have a name of its own.

    Raises:
        UsageError: two submissions have the same name.
    """
    counts = Counter(row.name for row in gradebook.submissions)
    repeated = [clean(ascii(name), NAME_LIMIT) for name, count in counts.items() if count > 1]
    if repeated:
        listed = ", ".join(sorted(repeated))
        raise UsageError(f"more than one submission is called {listed}; names must differ")
