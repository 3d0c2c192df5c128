"""Size and power of every statistic, simulated and drawn: ``python docs/plots.py [NAME…]``.

A figure is simulated with a generator of its own (:mod:`simulations`), written to
``docs/plots/NAME.csv`` and drawn from that file alone to ``docs/plots/NAME.svg``; ``--draw`` leaves
the simulation out. Columns of a CSV: ``panel``, ``series``, ``x``, ``y`` (a rate of ``events``
where ``repetitions`` is not 0), its two-sided 95 % bounds ``low`` and ``high``; ``least`` and
``most``, what docs/statistics.md says of the rate; ``quoted``, 1 where the page prints it.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import re
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
from simulations import means, programs, rounding, sequences, shapes
from simulations.base import FIGURES, Axes, Row

from harness.spec.checks import NOMINAL_SHARE

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Panel

FOLDER = Path(__file__).parent / "plots"
MODULES = (rounding, means, shapes, sequences, programs)
SEED = 20261121
#: Okabe & Ito's colours (2008), told apart with any colour vision; markers differ too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#777777")
MARKERS = "os^Dv<PX"
#: From so many points on, a series is a line with a band instead of points with bars.
DENSE = 13
MARKED: dict[str, Any] = {"fontsize": 7, "color": "#444444", "textcoords": "offset points"}
STYLE: dict[Any, object] = {
    "svg.hashsalt": "fairmark",
    "svg.fonttype": "none",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
    "legend.fontsize": 7,
}


def write_csv(rows: list[Row], path: Path) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.name for column in fields(Row)])
    writer.writerows([_cell(value) for value in asdict(row).values()] for row in rows)
    path.write_text(stream.getvalue(), encoding="utf-8")


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{float(value):.6g}" if isinstance(value, float) else str(value)


def read_csv(path: Path) -> list[Row]:
    """The rows of a figure, as :func:`write_csv` wrote them."""
    with path.open(encoding="utf-8", newline="") as stream:
        return [_row(record) for record in csv.DictReader(stream)]


def _row(record: dict[str, str]) -> Row:
    x, y, low, high = (float(record[name]) for name in ("x", "y", "low", "high"))
    least, most = (float(record[name]) if record[name] else None for name in ("least", "most"))
    events, repetitions, quoted = (
        int(record[name]) for name in ("events", "repetitions", "quoted")
    )
    place = (record["panel"], record["series"], x, y, low, high)
    return Row(*place, events, repetitions, least, most, quoted)


def draw(name: str, source: Path, target: Path) -> None:
    """The picture of a CSV; equal files give equal bytes."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    mpl.rcParams.update(STYLE)
    rows = read_csv(source)
    panels = FIGURES[name].panels
    page, drawn = plt.subplots(1, len(panels), figsize=(9, 3.9), layout="constrained")
    for panel, (key, axes) in zip(drawn, panels.items(), strict=True):
        _draw_panel(panel, axes, [row for row in rows if row.panel == key])
    if target.suffix == ".svg":
        described = f"{source.name} sha256 {hashlib.sha256(source.read_bytes()).hexdigest()}"
        stream = io.StringIO()
        metadata = {"Date": None, "Creator": "docs/plots.py", "Description": described}
        page.savefig(stream, format="svg", metadata=metadata)
        target.write_text(compact(stream.getvalue()), encoding="utf-8")
    else:
        page.savefig(target, dpi=110)
    plt.close(page)


def compact(svg: str) -> str:
    """The same picture without comments and indentation, coordinates to a hundredth of a point."""
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d\.\d\d)\d+", r"\1", tag.group()), svg)
    return re.sub(r"\n\s+", "\n", svg)


def _draw_panel(panel: Panel, axes: Axes, rows: list[Row]) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    panel.set(title=axes.title, xlabel=axes.x, ylabel=axes.y)
    for name, axis in (("x", panel.xaxis), ("y", panel.yaxis)):
        if name in axes.log:
            panel.set(**{f"{name}scale": "log"})
            axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    # simulated points have the colour of the curve that they stand on
    bases = list(dict.fromkeys(row.series.removesuffix(", simulated") for row in rows))
    for name in dict.fromkeys(row.series for row in rows):
        place = bases.index(name.removesuffix(", simulated"))
        _draw_series(panel, axes, [row for row in rows if row.series == name], place)
    if axes.nominal:
        ends = np.array([min(row.x for row in rows), max(row.x for row in rows)])
        panel.plot(ends, ends, color="#999999", lw=1, zorder=1, label="nominal")
    if axes.nominal == "stage":
        bound = ends / NOMINAL_SHARE
        panel.plot(ends, bound, color="#999999", lw=1, ls=":", zorder=1, label="declared bound")
    for x, label in axes.at_x.items():
        panel.axvline(x, color="#444444", lw=0.8, ls="--", zorder=1)
        panel.annotate(
            label,
            (x, 0.45),
            va="center",
            xytext=(3, 0),
            xycoords=("data", "axes fraction"),
            rotation=90,
            **MARKED,
        )
    for y, label in axes.at_y.items():
        panel.axhline(y, color="#444444", lw=0.8, ls="--", zorder=1)
        panel.annotate(label, (0, y), xytext=(3, 2), xycoords=("axes fraction", "data"), **MARKED)
    columns = 2 if len(panel.get_legend_handles_labels()[1]) > 3 else 1
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=columns)


def _draw_series(panel: Panel, axes: Axes, rows: list[Row], place: int) -> None:
    name, simulated = rows[0].series, rows[0].series.endswith(", simulated")
    colour, marker = COLOURS[place], MARKERS[place]
    x, y, low, high = (
        np.array([getattr(row, key) for row in rows]) for key in ("x", "y", "low", "high")
    )
    computed = not any(row.repetitions for row in rows) and (low == high).all()
    if axes.nominal and not computed:  # side by side, so that bars can be told apart
        x = x * 1.05 ** (place - 1.5)
    if "y" in axes.log:
        never = (y <= 0) & (high > 0)
        panel.plot(x[never], high[never], ls="", marker="v", mfc="none", color=colour, ms=5)
        x, y, low, high = (part[~never] for part in (x, y, low, high))
        low = np.maximum(low, 1e-3 * y)
    label = None if simulated else name
    if len(rows) >= DENSE or computed:
        panel.plot(x, y, color=colour, lw=1.3, label=label)
        panel.fill_between(x, low, high, color=colour, alpha=0.2, lw=0)
        return
    bars = np.maximum([y - low, high - y], 0)
    panel.errorbar(
        x,
        y,
        bars,
        label=label,
        marker=marker,
        ms=3.5,
        lw=0 if simulated else 1,
        elinewidth=0.8,
        color=colour,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FIGURES))
    parser.add_argument("--draw", action="store_true", help="draw what is stored")
    asked = parser.parse_args()
    unknown = set(asked.names) - set(FIGURES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; wanted {', '.join(FIGURES)}")
    for name in asked.names or FIGURES:
        source = FOLDER / f"{name}.csv"
        if not asked.draw:
            rng = np.random.default_rng([SEED, crc32(name.encode())])
            write_csv(list(FIGURES[name].simulate(rng)), source)
        draw(name, source, source.with_suffix(".svg"))
        print(source.with_suffix(".svg"), flush=True)


if __name__ == "__main__":
    main()
