# @include:attempt@

import os
import signal


def by_descriptor():
    signal.pidfd_send_signal(os.pidfd_open(int("@decoy_pid@")), signal.SIGKILL)


attempt(by_descriptor)
attempt(lambda: os.kill(int("@decoy_pid@"), signal.SIGKILL))
