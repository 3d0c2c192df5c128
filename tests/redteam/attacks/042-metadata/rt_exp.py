# @include:attempt@

import os

attempt(lambda: os.chmod("@witness_file@", 0o777))
attempt(lambda: os.chown("@witness_file@", 12345, -1))
attempt(lambda: os.utime("@witness_file@", (1, 1)))
attempt(lambda: os.rename("@witness_file@", "@witness_folder@/renamed"))
attempt(lambda: os.setxattr("@witness_file@", "user.mark", b"1"))
attempt(lambda: os.mkfifo("@witness_folder@/fifo"))
