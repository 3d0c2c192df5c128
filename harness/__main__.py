"""``python -m harness VERB``, and the command ``fairmark``."""

import sys
from typing import NoReturn

from harness.process import end_quietly_at_a_signal


def run() -> NoReturn:
    """Runs the verb of this command line and ends the process with its exit code.

    A signal that asks to end is heard with words while the verb runs, and without any before and
    after: while modules are being imported, nothing has to be cleaned up.
    """
    end_quietly_at_a_signal()
    from harness.cli import main

    code = main()
    end_quietly_at_a_signal()
    sys.exit(code)


if __name__ == "__main__":
    run()
