"""What a submission is called in a report."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter

from harness.errors import UsageError
from harness.marking.gradebook import Gradebook, SubmissionGrade
from harness.report.sanitise import NAME_LIMIT, clean

_DIGEST_DIGITS = 8

#: What Unicode calls default-ignorable, blanks that no rule calls spaces, and the mark for either.
_SHOWS_NOTHING = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
#: Letters of other scripts with the shape of a Latin one, and what most typefaces draw alike.
_SHAPES = str.maketrans(
    "асеһіјорԛѕԝхуαγινορυχıАВСЕНЈКМОРԚЅТԜХУΑΒΕΖΗΚΜΝΟΡΤΥΧІΙӀӏI1|0",
    "acehijopqswxyayivopuxiABCEHJKMOPQSTWXYABEZHKMNOPTYXlllllllO",
)


def shown(row: SubmissionGrade) -> str:
    """The display name, sanitised; never empty."""
    return clean(row.display_name, NAME_LIMIT).strip() or "unnamed"


def labels(gradebook: Gradebook) -> dict[str, str]:
    """What to call every submission in a table, by its name, all different.

    This is the display name as a rule. Where several submissions would show names that look alike
    (the same but for width, the encoding of accents, characters that show nothing, spaces, or
    characters of the same shape), they get eight digits of their name's SHA-256, so that none can
    be taken for another; one in ASCII letters that is called just what it shows goes without if it
    is the only such one. Upper and lower case are told apart by looking.

    Raises:
        UsageError: two submissions have the same name.
    """
    refuse_duplicates(gradebook)
    shapes = {row.name: _shape(shown(row)) for row in gradebook.submissions}
    alike = Counter(shapes.values())
    plain = Counter(shapes[row.name] for row in gradebook.submissions if _is_plain(row))
    chosen: dict[str, str] = {}
    for row in gradebook.submissions:
        label = shown(row)
        shape = shapes[row.name]
        if alike[shape] > 1 and not (_is_plain(row) and plain[shape] == 1):
            digest = hashlib.sha256(row.name.encode("utf-8", "surrogatepass")).hexdigest()
            label = f"{label} [{digest[:_DIGEST_DIGITS]}]"
        chosen[row.name] = label
    return chosen


def _is_plain(row: SubmissionGrade) -> bool:
    label = shown(row)
    return label == row.name and label.isascii()


def _shape(label: str) -> str:
    """What two labels have in common if a reader may take one for the other."""
    visible = _SHOWS_NOTHING.sub("", unicodedata.normalize("NFKC", label))
    return " ".join(visible.translate(_SHAPES).replace("rn", "m").split())


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
