"""What works at home works here, or the message says what to do: habits of students, one by one."""

import pytest

from harness.errors import ProgramError

#: What gives the same as at home while the file is loaded.
WORKS = {
    "argv is that of the file": "import sys\nassert sys.argv == ['program.py'], sys.argv",
    "argparse with defaults": (
        "import argparse\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('--seed', type=int, default=3)\nassert parser.parse_args().seed == 3"
    ),
    "its own file": (
        "import os\nassert os.path.basename(__file__) == 'program.py' and __name__ != '__main__'"
    ),
    "its own source": (
        "import inspect\ndef f():\n    return 7\nassert 'return 7' in inspect.getsource(f)"
    ),
    "pickle of its own class": (
        "import copy, pickle\nclass A:\n    pass\n"
        "assert type(pickle.loads(pickle.dumps(A()))) is A and type(copy.deepcopy(A())) is A"
    ),
    "dataclass with postponed annotations": (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass A:\n    x: int\nassert A(1).x == 1"
    ),
    "a file beside it": (
        "from pathlib import Path\n"
        "assert len(Path(__file__).with_name('data.bin').read_bytes()) == 7"
    ),
    "a file that it writes": "open('x', 'w').write('1')\nassert open('x').read() == '1'",
    "a temporary file": (
        "import tempfile\nwith tempfile.NamedTemporaryFile() as file, "
        "tempfile.TemporaryDirectory():\n    file.write(b'1')"
    ),
    "torch.save": "import torch\ntorch.save({'a': torch.ones(2)}, 'm.pt')\ntorch.load('m.pt')",
    "threads": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(2) as pool:\n    assert list(pool.map(abs, [1, -2])) == [1, 2]"
    ),
    "a process of its own that ends": (
        "import subprocess\nassert subprocess.run(['true']).returncode == 0"
    ),
    "a DataLoader": (
        "import torch\nfrom torch.utils.data import DataLoader, TensorDataset\n"
        "data = TensorDataset(torch.zeros(8, 2))\n"
        "assert len(list(DataLoader(data, batch_size=4, shuffle=True))) == 2"
    ),
    "an alarm with a handler": (
        "import signal\nsignal.signal(signal.SIGALRM, lambda *_: None)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.01)\nsignal.pause()"
    ),
}
#: torch's ways to make a function of a function, each compared with the function itself.
TORCH = {
    "compile": "torch.compile(f)(x)",
    "compile-decorated": "torch.compile(fullgraph=True, dynamic=True)(f)(x)",
    "compile-tuned": "torch.compile(f, mode='max-autotune')(x)",
    "compile-eager": "torch.compile(f, backend='aot_eager')(x)",
    "module-compile": "compiled(x)",
    "jit-script": "torch.jit.script(Sine())(x)",
    "jit-trace": "torch.jit.trace(f, x)(x)",
    "checkpoint": "torch.utils.checkpoint.checkpoint(f, x, use_reentrant=False)",
    "vmap": "torch.func.vmap(f)(x)",
    "functional-call": "torch.func.functional_call(Sine(), {}, (x,))",
    "export": "torch.export.export(Sine(), (x,)).module()(x)",
}
#: What cannot work here: the cause, and what the message says to do.
FAILS = {
    "input": ("input('n? ')", "exception", "use a constant instead of input()"),
    "exit": ("import sys\nsys.exit()", "exit", "below `if __name__"),
    "argparse that demands": (
        "import argparse\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('--n', required=True)\nparser.parse_args()",
        "exit",
        "parsing of arguments, tests and plots belong below",
    ),
    "a package": ("import seaborn_of_ours", "exception", "installed here are torch, numpy, scipy"),
    "a file beside it by its name": ("open('data.bin')", "exception", 'with_name("data.bin")'),
    "a file that is not there": (
        "open('weights.pt')",
        "exception",
        "beside your program lie data.bin",
    ),
    "a write beside it": ("open(__file__ + '.log', 'w')", "exception", "write to relative paths"),
    "a process pool": (
        "import multiprocessing\nmultiprocessing.Pool(2)",
        "exception",
        "DataLoader(num_workers=0)",
    ),
    "a DataLoader's workers": (
        "import torch\nfrom torch.utils.data import DataLoader, TensorDataset\n"
        "list(DataLoader(TensorDataset(torch.zeros(8, 2)), num_workers=2))",
        "exception",
        "DataLoader(num_workers=0)",
    ),
    "shared memory": ("import torch\ntorch.ones(3).share_memory_()", "exception", "one process"),
    "a download": (
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1')",
        "exception",
        "no network",
    ),
    "an alarm": ("import signal, time\nsignal.alarm(1)\ntime.sleep(3)", "signal", "signal.alarm"),
}


def load(lab, name, source):
    with lab.trial(name, source=source):
        pass


@pytest.mark.parametrize("habit", WORKS)
def test_what_works_at_home_works_here(lab, habit):
    load(lab, habit, WORKS[habit])


@pytest.mark.parametrize("way", TORCH)
def test_every_way_to_transform_a_function_gives_the_function(lab, way):
    source = (
        "import torch, torch.utils.checkpoint\n"
        "class Sine(torch.nn.Module):\n    def forward(self, x):\n        return x.sin()\n"
        "f = torch.sin\ncompiled = Sine()\ncompiled.compile()\nx = torch.linspace(0, 1, 5)\n"
        f"assert torch.equal({TORCH[way]}, x.sin())\n"
    )
    load(lab, way, source)


@pytest.mark.parametrize("habit", FAILS)
def test_what_cannot_work_here_says_what_to_do(lab, habit):
    if lab.sandbox.isolation.level == "L1" and habit not in ("input", "exit"):
        return  # there is less that does not work
    source, cause, remedy = FAILS[habit]
    with pytest.raises(ProgramError) as caught:
        load(lab, habit, source)
    assert caught.value.cause == cause
    assert remedy in caught.value.message
    assert "/scratch" not in caught.value.message
