"""Output that is drained from a process while it runs and kept by trial."""

import os
import subprocess
import sys

import pytest

from harness.sandbox.output import DrainedOutput


@pytest.fixture
def echo():
    """Prints the values of expressions, and answers each on its error stream once it has."""
    code = "import sys\nfor line in sys.stdin:\n    sys.stdout.write(eval(line))\n"
    code += "    sys.stdout.flush()\n    sys.stderr.write('.')\n    sys.stderr.flush()\n"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        output = DrainedOutput(process)

        def write(expression):
            process.stdin.write(f"{expression}\n".encode())
            process.stdin.flush()
            assert process.stderr.read(1) == b"."

        yield output, write
        process.stdin.close()
        process.wait()
        output.close()


def test_what_was_written_before_is_read_and_belongs_to_its_trial(echo):
    output, write = echo
    first = output.mark()
    write("'one'")
    assert output.since(first) == "one"
    second = output.mark()
    write("'two'")
    assert output.since(second) == "two"
    assert output.since(first) == "onetwo"


def test_more_than_a_pipe_holds_blocks_nobody_and_is_kept_up_to_a_cap(echo):
    output, write = echo
    mark = output.mark()
    write("'x' * 1_000_000")
    assert output.since(mark) == "x" * (64 * 1024)
    mark = output.mark()
    write("'next'")
    assert output.since(mark) == "next"


def test_bytes_that_are_no_text_are_replaced(echo):
    output, write = echo
    mark = output.mark()
    write(r"sys.stdout.buffer.write(b'\xff') and ''")
    assert output.since(mark) == "\ufffd"


@pytest.mark.parametrize(
    ("text", "kept"), [(b"one", "one"), (b"two" * 30_000, ("two" * 30_000)[: 64 * 1024])]
)
def test_a_pipe_that_is_added_is_read_like_the_process_own(echo, text, kept):
    output, write = echo
    mark = output.mark()
    reader, writer = os.pipe()
    output.add(reader)
    with open(writer, "wb") as stream:
        stream.write(text)
    assert output.since(mark) == kept
    mark = output.mark()
    write("'own'")
    assert output.since(mark) == "own"


def test_of_two_pipes_in_any_order_nothing_is_lost(echo):
    output, write = echo
    mark = output.mark()
    reader, writer = os.pipe()
    output.add(reader)
    with open(writer, "wb") as stream:
        stream.write(b"added" * 10)
    write("'own' * 10")
    assert sorted(output.since(mark)) == sorted("added" * 10 + "own" * 10)


def test_output_can_be_read_after_the_process_has_ended():
    with subprocess.Popen(
        [sys.executable, "-c", "print('end')"], stdout=subprocess.PIPE
    ) as process:
        output = DrainedOutput(process)
        process.wait()
        output.close()
    assert output.since(0) == "end\n"
