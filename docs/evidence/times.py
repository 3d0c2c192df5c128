"""Costs of the generative checks that do not train: ``python docs/evidence/times.py``.

Every measurement of submissions/complete that does not train, once, in this process and after the
import of torch: processor seconds of measurement and program together, without a sandbox (a worker
adds .025 a task and some six hundredths of the whole: docs/figures.md). Ten processor seconds.
"""

from __future__ import annotations

import time

import torch
from pages import EVIDENCE, ROOT, TASKS, loaded

from harness import kinds
from harness.collect.bare import BareProgram
from harness.files import write_csv
from harness.records import COMMON, Program
from harness.seeds import PUBLIC_KEY

COLUMNS = ("task", "cpu_s", "most")


def main() -> None:
    """Writes docs/evidence/times.csv."""
    torch.set_num_threads(1)
    lines = []
    for name in TASKS:
        task, folder = loaded(name), ROOT / "submissions" / "complete"
        files = {file: (folder / file).read_bytes() for file in task.spec.wanted_files}
        trained = {check.measurement for check in task.spec.checks if kinds.of(check).trained}
        spent = {}
        with BareProgram(task, Program("complete", "submission", files)) as program:
            for measurement in task.spec.measurements:
                if measurement not in trained:
                    started = time.process_time()
                    program.statistics(measurement, COMMON, PUBLIC_KEY)
                    spent[measurement] = time.process_time() - started
        dearest = max(spent, key=lambda key: spent[key])
        figures = (name, f"{sum(spent.values()):.2f}", f"{dearest} {spent[dearest]:.2f}")
        lines.append(dict(zip(COLUMNS, figures, strict=True)))
        print(*figures)
    write_csv(EVIDENCE / "times.csv", COLUMNS, lines)


if __name__ == "__main__":
    main()
