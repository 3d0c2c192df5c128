# @include:attempt@

import os
import signal

attempt(lambda: os.kill(int("@grader_pid@"), signal.SIGKILL))
