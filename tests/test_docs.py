"""The documentation keeps its word: links lead somewhere, printed rates were counted."""

import csv
import hashlib
import re
from pathlib import Path
from typing import get_args

import pytest

import harness.statistics
from harness.spec.checks import Check
from harness.statistics.laws import binomial_cdf, binomial_tail

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PLOTS = ROOT / "docs" / "plots"
SECTIONS = dict(
    re.findall(
        r"^## `(\w+)`(.*?)(?=^## |\Z)",
        (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
)
LISTED = re.findall(r"^(\w+)  +\S", harness.statistics.__doc__, re.MULTILINE)[1:]
UNDERNEATH = {"__init__", "outcome", "inputs", "laws"}
MODULES = sorted(
    {path.stem for path in Path(harness.statistics.__file__).parent.glob("*.py")} - UNDERNEATH
)
#: The chance of a count under its claimed rate below which the claim is refuted.
REFUTED = 1e-4
LARGEST_SVG = 60_000


def read(module):
    with (PLOTS / f"{module}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def printed(rate):
    """A rate as the page writes it: .0097, .990, 9.7e-5, 7.39."""
    if rate == 0 or rate >= 1:
        return f"{rate:.3g}"
    if rate < 1e-3:
        return f"{rate:.1e}".replace("e-0", "e-")
    text = f"{rate:.3f}" if rate >= 0.1 else f"{rate:.4f}"
    return text.lstrip("0") if float(text) < 1 else "1"


def kept(row):
    """Whether a count (or a computed rate) is consistent with what is claimed of it."""
    least, most = (float(row[name]) if row[name] else None for name in ("least", "most"))
    events, repetitions = int(row["events"]), int(row["repetitions"])
    if not repetitions:
        rate = float(row["y"])
        return (least is None or rate >= least) and (most is None or rate <= most)
    over = most is not None and binomial_tail(events, repetitions, most) < REFUTED
    under = least is not None and binomial_cdf(events, repetitions, least) < REFUTED
    return not over and not under


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_of_the_repository(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    local = [link for link in links if not re.match(r"[a-z]+:", link)]
    broken = []
    for link in local:
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        inside = target.is_relative_to(ROOT) and target.exists()
        if not inside or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tests_that_are_named_exist(page):
    """`tests/file.py::test_name`, or `tests/file.py` alone."""
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page.read_text(encoding="utf-8"))
    sources = {file: ROOT / file for file, _ in named}
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not sources[file].is_file()
        or (test and f"\ndef {test}(" not in sources[file].read_text(encoding="utf-8"))
    ]
    assert missing == []


def test_the_modules_are_those_that_the_package_lists():
    assert LISTED
    assert set(LISTED) <= set(MODULES)
    assert set(SECTIONS) == set(MODULES)
    assert {path.stem for path in PLOTS.iterdir()} == set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_every_statistic_has_its_section_and_its_plot(module):
    section = " ".join(SECTIONS[module].split())
    assert f"](plots/{module}.svg)" in section
    for word in ("**Used** by", "**Assumed**:", "**Not**:"):
        assert word in section
    assert re.search(r"\*[^*]*\b(1[89]|20)\d\d\b[^*]*\*", section), "no source with a year"
    assert {row["panel"] for row in read(module)} == {"size", "power"}


def test_every_kind_of_check_is_explained():
    kinds = [
        get_args(model.model_fields["kind"].annotation) for model in get_args(get_args(Check)[0])
    ]
    page = "".join(SECTIONS.values())
    assert kinds
    assert [kind for (kind,) in kinds if f"`{kind}`" not in page] == []


@pytest.mark.parametrize("module", MODULES)
def test_rates_keep_what_is_said_of_them(module):
    rows = read(module)
    assert [row for row in rows if not kept(row)] == []
    assert any(row["panel"] == "size" and row["most"] for row in rows)


@pytest.mark.parametrize("module", MODULES)
def test_rates_are_the_ones_that_were_counted(module):
    counted = [row for row in read(module) if int(row["repetitions"])]
    for row in counted:
        rate = int(row["events"]) / int(row["repetitions"])
        assert float(row["y"]) == pytest.approx(rate, rel=1e-5)
        assert float(row["low"]) <= rate * (1 + 1e-5)
        assert float(row["high"]) >= rate * (1 - 1e-5)


@pytest.mark.parametrize("module", MODULES)
def test_the_page_prints_what_was_counted(module):
    text = re.sub(r"[\s|]+", " ", SECTIONS[module])
    rows = [row for row in read(module) if int(row["quoted"])]
    assert any(row["panel"] == "size" for row in rows)
    said = [f"{row['series']} {printed(float(row['y']))}" for row in rows]
    missing = [one for one in said if not re.search(rf"(?<!\w){re.escape(one)}(?!\.?\d|e)", text)]
    assert missing == []


@pytest.mark.parametrize("module", MODULES)
def test_pictures_are_of_these_counts(module):
    content = (PLOTS / f"{module}.svg").read_text(encoding="utf-8")
    digest = hashlib.sha256((PLOTS / f"{module}.csv").read_bytes()).hexdigest()
    assert f"{module}.csv sha256 {digest}" in content
    assert len(content.encode()) < LARGEST_SVG
    assert "<dc:date>" not in content
    assert "<text" in content  # letters are text, not paths


def test_a_claim_can_be_refuted():
    """The tests above can fail."""
    row = {"least": "", "most": "0.01", "events": "15", "repetitions": "1000", "y": "0.015"}
    assert kept(row)
    assert not kept({**row, "events": "30"})
    assert not kept({**row, "most": "", "least": "0.9", "events": "850"})
    assert not kept({**row, "repetitions": "0"})
    assert printed(0.00965) == ".0097"
    assert printed(0.99958) == "1"
    assert printed(9.7e-5) == "9.7e-5"
    assert printed(7.387) == "7.39"
