# @include:attempt@

import os
import signal

attempt(lambda: os.kill(-1, signal.SIGURG))  # SIGKILL would end as many; this one harms nobody
attempt(lambda: os.kill(int("@decoy_pid@"), signal.SIGURG))
