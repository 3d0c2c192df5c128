"""Judges submitted sources before anything runs, in a process with a deadline.

Python's own parser needs time that grows with the square of some texts (``f"{a}{a}…"``: half a
minute at 255 KiB) and may end its process on others, so no submitted text is parsed in the grader.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.submissions import cells
from harness.submissions.process import Asking, EndedError, ReadingProcess
from harness.submissions.records import display, sha256_of

#: Processor seconds for a file of 256 KiB and for a tiny one; the densest honest file of 256 KiB
#: takes .3. Once a file of a submission took too long, its other files get the latter, and once
#: twenty did, the last.
_LONGEST_CPU_S, _SHORTEST_CPU_S, _LAST_CPU_S = 2.0, 0.5, 0.1
_MANY_SLOW = 20
_LARGEST = 256 * 1024
_MEMORY_BYTES = 1 << 30
_OURS = (
    "was not read: the process that parses files was ended twice; see that the machine has memory "
    "left and grade again"
)
_LONGEST_NOTE = 100


@dataclass(frozen=True)
class Judgement:
    """What is known of a source file before it runs.

    Attributes:
        cause: why it cannot be run; empty where it can.
        message: the same as a sentence with the file's name.
        line: the line of a syntax error, from 1.
        imports: the first part of the name of every module that it imports.
        relative: of those that it imports with a dot before the name, as in a package.
    """

    cause: str = ""
    message: str = ""
    line: int | None = None
    imports: frozenset[str] = frozenset()
    relative: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Notebook:
    """What a notebook holds of what is asked for.

    Attributes:
        modules: file name -> content of every module that its cells make up.
        notes: what was left out of them.
        kind: whose solution cells it has, "nbgrader" or "otter"; empty where nobody's.
        problem: why nothing could be taken from it, as a sentence; empty where it could be read.
        ours: whether that is a fault of this machine's.
    """

    modules: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    kind: str = ""
    problem: str = ""
    ours: bool = False


class SourceParser(Asking):
    """Judges sources, in one process that is started when it is first needed."""

    def __init__(self) -> None:
        super().__init__(ReadingProcess("parser", "submitted files", _MEMORY_BYTES))
        self._known: dict[tuple[str, float], dict[str, Any]] = {}
        self._slow = 0

    def next_submission(self) -> None:
        """Says that the next file is of another submission."""
        self._slow = 0

    def judge(self, file: str, content: bytes) -> Judgement:
        """Whether a source file is UTF-8 text and valid Python, and what it imports.

        Raises:
            InfrastructureError: the process could not be started.
        """
        cpu_s = self._allowed(len(content))
        key = (sha256_of(content), cpu_s)
        answer = self._known.get(key) or self._ask(content, cpu_s)
        if answer.get("cause") != "harness-error":
            self._known[key] = answer
        if "imports" in answer:
            imports, relative = frozenset(answer["imports"]), frozenset(answer["relative"])
            return Judgement(imports=imports, relative=relative)
        self._slow += "slow" in answer
        shown, line = display(file), answer["line"]
        if "what" in answer:
            return Judgement(answer["cause"], f"{shown} {answer['what']}", line)
        where = f"{shown}, line {line}" if line else shown
        return Judgement(answer["cause"], f"{where}: {display(answer['message'])}", line)

    def notebook(self, file: str, content: bytes, wanted: Iterable[str]) -> Notebook:
        """The modules, of the names of wanted files, that the cells of a notebook make up.

        Raises:
            InfrastructureError: see :meth:`judge`.
        """
        shown = display(file)
        request = {
            "names": sorted(name.removesuffix(".py") for name in wanted if name.endswith(".py")),
            "stem": Path(file).stem,
            "head": cells.HEAD,
            "above": cells.ABOVE.replace("{notebook}", shown),
        }
        answer = self._ask(content, self._allowed(len(content)), request)
        if "modules" in answer:
            texts = answer["modules"].items()
            made = {f"{name}.py": text.encode("utf-8", "replace") for name, text in texts}
            notes = tuple(display(note, 2 * _LONGEST_NOTE) for note in answer["notes"])
            return Notebook(made, notes, answer["kind"])
        self._slow += "slow" in answer
        where = f" (line {answer['line']})" if answer["line"] else ""
        ours = answer["cause"] == "harness-error"
        return Notebook(problem=f"{shown} {answer['what']}{where}", ours=ours)

    def _allowed(self, size: int) -> float:
        """The processor seconds that a file of this size may take."""
        if self._slow:
            return _SHORTEST_CPU_S if self._slow < _MANY_SLOW else _LAST_CPU_S
        share = min(1.0, size / _LARGEST)
        return _SHORTEST_CPU_S + share * (_LONGEST_CPU_S - _SHORTEST_CPU_S)

    def _ask(
        self, content: bytes, cpu_s: float, notebook: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        request = {"notebook": notebook} if notebook is not None else {}
        for attempt in range(2):
            try:
                return self._asked.ask(request, content, cpu_s)[0]
            except EndedError as ended:
                if ended.slow:
                    what = f"takes Python more than {cpu_s:.1f} s to parse; shorten it"
                    return {"cause": "syntax", "what": what, "line": None, "slow": True}
                if ended.broken:
                    what = "ends Python's parser; shorten it"
                    return {"cause": "syntax", "what": what, "line": None, "slow": True}
                if attempt:
                    return {"cause": "harness-error", "what": f"{_OURS} ({ended})", "line": None}
        raise AssertionError
