"""Notebooks: the cells that are marked for a task become its module, and errors name cells."""

import io
import json
import tarfile
import zipfile

import pytest

from harness.submissions import Limits, find, find_all, parser
from harness.submissions.cells import in_cells

WANTED = frozenset({"reparam_grad.py", "score_grad.py", "numbers.safetensors"})


def cell(*lines, tags=(), kind="code", **metadata):
    source = [line + "\n" for line in lines[:-1]] + list(lines[-1:])
    return {"cell_type": kind, "source": source, "metadata": {"tags": list(tags), **metadata}}


def notebook(*cells, **other):
    content = {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **other}
    return json.dumps(content).encode()


def handed_in(folder, files):
    """The one submission of a folder with these files: name -> content."""
    home = folder / "ada"
    for name, content in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return find_all([home], WANTED, reading="single").submissions[0]


def values(content):
    """The names that a module defines, with their values."""
    scope = {}
    exec(compile(content, "module", "exec"), scope)
    return {name: value for name, value in scope.items() if not name.startswith("__")}


BASIC = notebook(
    cell("# Homework 3", kind="markdown"),
    cell("# fairmark: all", "import math"),
    cell("# fairmark: reparam_grad", "def f():", "    return math.pi"),
    cell("import matplotlib", "f(1, 2)"),
    cell("def g():", "    return 2", tags=["fairmark:score-grad"]),
    cell("# fairmark: reparam-grad, score_grad.py", "x = 3"),
)


def test_marked_cells_become_the_modules(tmp_path):
    found = handed_in(tmp_path, {"Homework 3.ipynb": BASIC})
    assert found.problems == ()
    first, second = (values(found.contents[name]) for name in ("reparam_grad.py", "score_grad.py"))
    assert first.keys() == {"math", "f", "x"} and first["f"]() == pytest.approx(3.14159, abs=1e-5)
    assert second.keys() == {"math", "g", "x"}


@pytest.mark.parametrize("pack", ["zip", "tar", "folder", "alone"])
def test_a_notebook_counts_wherever_a_file_does(tmp_path, pack):
    if pack == "zip":
        path = tmp_path / "ada.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("work/hw.ipynb", BASIC)
    elif pack == "tar":
        path = tmp_path / "ada.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            info = tarfile.TarInfo("hw.ipynb")
            info.size = len(BASIC)
            archive.addfile(info, io.BytesIO(BASIC))
    else:
        path = tmp_path / ("ada" if pack == "folder" else "ada.ipynb")
        file = path / "hw.ipynb" if pack == "folder" else path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(BASIC)
    (found,) = find([path], WANTED)
    assert found.name == "ada"
    assert found.contents.keys() == {"reparam_grad.py", "score_grad.py"}


def test_a_folder_of_notebooks_is_a_class(tmp_path):
    for name in ("ada", "bob"):
        (tmp_path / f"{name}.ipynb").write_bytes(BASIC)
    assert [each.name for each in find([tmp_path], WANTED)] == ["ada", "bob"]


MAGIC = notebook(
    cell(
        "# fairmark: reparam_grad",
        "%matplotlib inline",
        "!pip install torch",
        "from IPython.display import display",
        "files = !ls",
        "def f():",
        "    %timeit 1",
        '    text = """',
        "%not a magic",
        "!nor a command",
        '"""',
        "    return text",
        "f?",
    ),
    cell("%%bash", "# fairmark: reparam_grad", "rm -rf work"),
    cell("%%time", "# fairmark: reparam_grad", "y = 5 % 3"),
)


def test_what_only_a_notebook_understands_is_left_out_in_words(tmp_path):
    found = handed_in(tmp_path, {"hw.ipynb": MAGIC})
    assert found.problems == ()
    module = values(found.contents["reparam_grad.py"])
    assert module["f"]() == "\n%not a magic\n!nor a command\n"
    assert module["y"] == 2
    notes = "\n".join(found.notes)
    for said in ("%matplotlib inline", "!pip install torch", "from IPython", "files = !ls"):
        assert said in notes
    assert "code cell 2: a cell of %%bash" in notes


def test_lines_keep_their_places_in_their_cells(tmp_path):
    content = handed_in(tmp_path, {"hw.ipynb": BASIC}).contents["reparam_grad.py"]
    line = content.split(b"\n").index(b"    return math.pi") + 1
    files = {"reparam_grad.py": content, "plain.py": b"x = 1\n"}
    told = "line 3 of code cell 2 of hw.ipynb"
    assert in_cells(f"ValueError: no (line {line} of reparam_grad.py)", files).endswith(f"({told})")
    assert in_cells(f"reparam_grad.py:{line}: bad", files) == f"{told}: bad"
    assert in_cells(f"reparam_grad.py, line {line}: bad", files) == f"{told}: bad"
    for same in ("line 1 of plain.py", "line 7 of other.py", "line 1 of reparam_grad.py"):
        assert in_cells(same, files) == same
    assert in_cells(f"line {line} of reparam_grad.py", {"plain.py": b"x"}).startswith("line")


def test_a_syntax_error_names_cell_and_line(tmp_path):
    broken = notebook(cell("x = 1"), cell("# fairmark: reparam_grad", "def f(:", "    return 1"))
    (problem,) = handed_in(tmp_path, {"hw.ipynb": broken}).problems
    assert problem.cause == "syntax" and problem.file == "reparam_grad.py"
    assert problem.message.startswith("line 2 of code cell 2 of hw.ipynb: ")


def test_modules_beside_a_notebook_come_along(tmp_path):
    work = notebook(cell("# fairmark: reparam_grad", "from utils import f"))
    found = handed_in(tmp_path, {"hw.ipynb": work, "utils.py": b"def f(): ..."})
    assert found.contents.keys() == {"reparam_grad.py", "reparam_grad/utils.py"}


def test_a_file_beats_the_notebook_and_this_is_said(tmp_path):
    found = handed_in(tmp_path, {"hw.ipynb": BASIC, "reparam_grad.py": b"z = 1\n"})
    assert found.contents["reparam_grad.py"] == b"z = 1\n"
    assert found.problems == ()
    assert any("hw.ipynb has cells for reparam_grad.py" in note for note in found.notes)


def test_two_notebooks_with_one_task_cost_that_task(tmp_path):
    other = notebook(cell("# fairmark: score_grad", "x = 1"))
    found = handed_in(tmp_path, {"a.ipynb": BASIC, "b.ipynb": other})
    (problem,) = found.problems
    assert (problem.cause, problem.file) == ("duplicate-file", "score_grad.py")
    assert "a.ipynb" in problem.message and "b.ipynb" in problem.message
    assert found.contents.keys() == {"reparam_grad.py"}


NBGRADER = {"nbgrader": {"solution": True, "grade": False, "grade_id": "q1"}}


def test_solution_cells_of_nbgrader_are_understood_in_a_notebook_of_the_tasks_name(tmp_path):
    work = notebook(
        cell("import math"),
        cell("import os", "print('not alone')"),
        cell("def f():", "    return math.e", **NBGRADER),
        cell("assert f() > 2", nbgrader={"solution": False, "grade": True}),
    )
    found = handed_in(tmp_path, {"reparam-grad.ipynb": work})
    assert values(found.contents["reparam_grad.py"]).keys() == {"math", "f"}
    elsewhere = handed_in(tmp_path / "other", {"hw.ipynb": work})
    assert {problem.cause for problem in elsewhere.problems} <= {"missing-file", "empty"}
    assert "nbgrader" in elsewhere.problems[0].message
    assert "# fairmark: NAME" in elsewhere.problems[0].message


def test_answer_cells_of_otter_are_told_how(tmp_path):
    work = notebook(cell("def f(): ...", tags=["otter_answer_cell"]))
    found = handed_in(tmp_path, {"hw.ipynb": work})
    assert "Otter" in found.problems[0].message and "# fairmark: NAME" in found.problems[0].message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not json {", "is no notebook: not JSON (line 1)"),
        (b'{"cells": [\n1,\n', "not JSON (line 3)"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "it has no cells"),
        (b"{}", "it has no cells"),
        (b'{"cells": 3}', "it has no cells"),
        (b'{"worksheets": []}', "format 3"),
        (notebook(metadata={"language_info": {"name": "R"}}), "in r, not in Python"),
    ],
)
def test_what_is_no_notebook_is_said_and_costs_nothing_else(tmp_path, content, said):
    found = handed_in(tmp_path, {"hw.ipynb": content, "score_grad.py": b"x = 1\n"})
    assert found.contents.keys() == {"score_grad.py"}
    assert any(said in note and "hw.ipynb" in note for note in found.notes), found.notes


@pytest.mark.parametrize(
    "odd",
    [
        [None, 3, "x", [], {}],
        [{"cell_type": "code"}],
        [{"cell_type": "code", "source": 7, "metadata": []}],
        [{"cell_type": "code", "source": [1, None], "metadata": {"tags": 5}}],
        [{"cell_type": "code", "source": ["x"], "metadata": {"tags": [3, None]}}],
        [{"cell_type": "code", "source": ["x"], "metadata": {"tags": {"fairmark:a": 1}}}],
        [cell("# fairmark: reparam_grad", "\ud800 = 1")],
        [cell("# fairmark: ../../x, , reparam_grad.py.py", "x")],
    ],
)
def test_odd_cells_never_end_a_run(tmp_path, odd):
    found = handed_in(tmp_path, {"hw.ipynb": json.dumps({"cells": odd}).encode()})
    assert found.contents.keys() <= {"reparam_grad.py"}
    assert all("/" not in name for name in found.contents)


def test_a_notebook_with_large_outputs_is_said_how_to_make_smaller(tmp_path):
    home = tmp_path / "ada"
    home.mkdir()
    (home / "hw.ipynb").write_bytes(BASIC + b" " * 3000)
    (found,) = find([home], WANTED, Limits(notebook_bytes=2048))
    assert any("clear its outputs" in note for note in found.notes)


def test_the_module_of_a_notebook_has_the_size_limit_of_a_file(tmp_path):
    home = tmp_path / "ada"
    home.mkdir()
    long = notebook(cell("# fairmark: reparam_grad", "x = '" + "a" * 3000 + "'"))
    (home / "hw.ipynb").write_bytes(long)
    (found,) = find([home], WANTED, Limits(source_bytes=2048))
    assert [problem.cause for problem in found.problems] == ["too-large"]


def test_marks_for_what_nothing_asks_for_are_said(tmp_path):
    work = notebook(cell("# fairmark: reparam_gard", "x = 1"), cell("# fairmark: score_grad", "y"))
    found = handed_in(tmp_path, {"hw.ipynb": work})
    assert any("reparam_gard, which nothing here asks for" in note for note in found.notes)


def test_the_name_of_a_notebook_cannot_forge_a_line(tmp_path):
    found = handed_in(tmp_path, {"a\nimport os\n.ipynb": BASIC})
    assert "os" not in values(found.contents["reparam_grad.py"])


def test_a_number_that_python_does_not_read_ends_no_run(tmp_path):
    """Python refuses whole numbers of more than 4,300 digits; the process of the parser lives."""
    work = BASIC.replace(b'"nbformat": 4', b'"nbformat": ' + b"4" * 5000)
    found = handed_in(tmp_path, {"hw.ipynb": work})
    assert found.contents.keys() == {"reparam_grad.py", "score_grad.py"}


def test_a_text_that_breaks_its_reader_costs_itself_alone(monkeypatch):
    def broken(*_arguments, **_more):
        raise SystemError("no reader foresaw it")

    for name in ("answer", "modules"):
        monkeypatch.setattr(parser, name, broken)
    for notebook_ in (None, {"names": []}):
        reply = parser.reply_to(b"x", notebook_)
        assert (reply["cause"], reply["what"]) == ("not-text", "cannot be read here (SystemError)")


def test_lines_end_where_python_ends_them(tmp_path):
    """A form feed or U+2028 in a string is a character of it."""
    odd = "\x0c\x1c\x85\u2028"
    work = notebook(cell("# fairmark: reparam_grad", f"x = '{odd}'", "y = 1\r\nz = 2\rw = 3"))
    found = handed_in(tmp_path, {"hw.ipynb": work})
    assert values(found.contents["reparam_grad.py"]) == {"x": odd, "y": 1, "z": 2, "w": 3}
