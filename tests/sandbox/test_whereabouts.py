"""The line of a program that takes too long: named where the worker says it, and no other file."""

import socket
import subprocess
import sys
import time

import pytest

from harness.errors import ProgramError
from harness.sandbox import whereabouts
from harness.spec.models import Limits

HEAD = (
    "import faulthandler, signal, socket, sys, threading, time\n"
    "sock = socket.socket(fileno=int(sys.argv[2]))\n"
    "faulthandler.register(signal.SIGUSR2, file=sock.fileno(), all_threads=False)\n"
)
LIMITS = Limits(call_s=1, trial_s=5, memory_mib=512, result_mib=1)


def ask(tmp_path, body, files=None):
    """The place that a process with this program says it is in, once it has begun."""
    path = tmp_path / "program.py"
    program = 'sock.sendall(b"+")\n' + body
    path.write_text(program)
    run = f"{HEAD}exec(compile(open(sys.argv[1]).read(), sys.argv[1], 'exec'))"
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-S", "-c", run, str(path), str(theirs.fileno())]
    with ours, theirs, subprocess.Popen(command, pass_fds=[theirs.fileno()]) as process:
        try:
            assert ours.recv(1) == b"+"
            time.sleep(0.05)
            return whereabouts.ask(ours, process.pid, files or {"program.py": program.encode()})
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("time.sleep(60)\n", "in line 2 of program.py: time.sleep(60)"),
        ("threading.Event().wait()\n", "in line 2 of program.py: threading.Event().wait()"),
        (
            "def f():\n    sum(range(10**10))\n\nf()\n",
            "in line 3 of program.py: sum(range(10**10))",
        ),
    ],
)
def test_the_innermost_line_of_the_program_is_named(tmp_path, body, said):
    assert str(ask(tmp_path, body)) == said


@pytest.mark.parametrize(
    "answer",
    [
        "b''",
        "b'\\xff' * 100_000",
        """b'  File "/etc/passwd", line 1 in f\\n' * 5_000""",
        """b'  File "/x/program.py", line 9999999 in f\\n'""",
        """b'  File "/x/program.py", line 0 in f\\n'""",
        "threading.current_thread() and None",
    ],
)
def test_a_program_that_answers_for_itself_names_nothing_else(tmp_path, answer):
    body = (
        f"def told(*_):\n    answer = {answer}\n    answer and sock.sendall(answer)\n"
        "signal.signal(signal.SIGUSR2, told)\ntime.sleep(60)\n"
    )
    assert ask(tmp_path, body) is None


def test_a_file_that_hangs_is_loaded_once_and_its_line_is_named(lab):
    said = set()
    with lab.session("hangs", source="x = 1\nwhile x:\n    pass\n", limits=LIMITS) as session:
        for _ in range(3):
            started = time.monotonic()
            with pytest.raises(ProgramError) as caught, session.trial(LIMITS):
                pass
            said.add((caught.value.cause, caught.value.message))
        assert time.monotonic() - started < LIMITS.call_s
    ((cause, message),) = said
    assert cause == "timeout"
    assert message.startswith("your file was still being loaded after 1 s, in line ")
    assert message.endswith((" of program.py: while x:", " of program.py: pass"))


def test_a_call_that_hangs_names_its_line(lab):
    source = "import time\ndef nothing():\n    pass\ndef read(path):\n    time.sleep(60)\n"
    with lab.session("call hangs", source=source, limits=LIMITS) as session:
        with pytest.raises(ProgramError) as caught, session.trial(LIMITS):
            lab.student(session).read("")
    expected = "no answer within 1 s; your code was in line 5 of program.py: time.sleep(60)"
    assert caught.value.message == expected
