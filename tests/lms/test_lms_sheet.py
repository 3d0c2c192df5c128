"""Tables of platforms: what is not changed is the same to the byte; what is no table is said."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.lms.sheet import Sheet, read
from tests.support.platforms import CANVAS, MOODLE, MOODLE_GERMAN


def table(folder: Path, content: str | bytes) -> Sheet:
    path = folder / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path, "the table")


@pytest.mark.parametrize(
    "content",
    [
        *(CANVAS, MOODLE, MOODLE_GERMAN),
        "a,b\n1,2",
        'a,b\r\n"1\n2",2\r\n',
        "a\tb\r1\t2\r",
        'a,b\n"",\n\n,\n',
        "a,b\n x ,2\n",
    ],
)
def test_without_changes_nothing_changes(tmp_path: Path, content: str) -> None:
    assert table(tmp_path, content).with_cells({}) == content.encode()


@given(
    st.lists(
        st.lists(st.text(st.sampled_from('ab ,;"\n\té='), max_size=4), min_size=2, max_size=2),
        min_size=1,
    ),
    st.sampled_from(["\n", "\r\n"]),
)
def test_it_reads_what_the_csv_module_writes(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], end: str
) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator=end)
    writer.writerows([["one", "two"], *rows])
    found = table(tmp_path_factory.mktemp("sheet"), stream.getvalue())
    assert [list(row.cells) for row in found.rows] == [["one", "two"], *rows]
    assert found.with_cells({}) == stream.getvalue().encode()
    changed = found.with_cells({(1, 0): 'x"\n,'}).decode()
    again = list(csv.reader(io.StringIO(changed, newline="")))
    assert again == [["one", "two"], ['x"\n,', rows[0][1]], *rows[1:]]


def test_one_cell_changes_and_all_else_stays(tmp_path: Path) -> None:
    found = table(tmp_path, CANVAS)
    content = found.with_cells({(3, 6): "5.5"}).decode()
    assert content == CANVAS.replace('y""",,8.50', 'y""",5.5,8.50')


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    found = table(tmp_path, 'a,b\n"1\n\n2",2\n3,4\n')
    assert [row.line for row in found.rows] == [1, 2, 5]


def test_a_header_with_commas_in_quotes(tmp_path: Path) -> None:
    found = table(tmp_path, '"a, b, c";d\n1;2\n')
    assert (found.delimiter, found.header) == (";", ("a, b, c", "d"))


def test_what_is_not_utf_8_is_windows_1252_and_stays_so(tmp_path: Path) -> None:
    content = "a,b\nBär,2\n".encode("cp1252")
    found = table(tmp_path, content)
    assert found.rows[1].cells[0] == "Bär"
    assert found.with_cells({}) == content
    assert "it was read as Windows-1252" in found.notices[0]
    marked = b"\xef\xbb\xbf" + content
    assert table(tmp_path, marked).with_cells({}) == marked
    with pytest.raises(UsageError, match=r"is cp1252, which has no 'λ'; save it as CSV UTF-8"):
        found.with_cells({(1, 1): "λ"})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "begins with the names of its columns; there are none"),
        (b"\n\n", "begins with the names of its columns; there are none"),
        (b"a,b\n1\n", r"csv:2: the table has 2 columns, and this row 1 cells; export it again"),
        (b"a,b\n1,2,3\n", r"csv:2: the table has 2 columns, and this row 3 cells"),
        (
            b'a,b\n1,"2\n3',
            r"csv:2: .* cannot be read: a quote that is not closed.*; export it again, or close it",
        ),
        (b'a,b\n1,2"3"\n', r"csv:2: the table cannot be read: .* stands inside a cell"),
        (b'a,b\n1,"2"3\n', r"csv:2: the table cannot be read"),
        ("a,b\n".encode("utf-16"), "is UTF-16 or no text; export it as CSV"),
        (b"a,b\n\x81,\xff\n", "is not UTF-8 text"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        table(tmp_path, content)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the table cannot be read: No such file"):
        read(tmp_path / "none.csv", "the table")


def test_an_open_quote_takes_linear_time(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not closed"):
        table(tmp_path, b"a,b\n" + b'"' + b'x""' * 500_000)
