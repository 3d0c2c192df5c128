# @include:attempt@

import os

for pid in ("self", "1", os.getppid(), "@grader_pid@", "@decoy_pid@"):
    attempt(lambda: open(f"/proc/{pid}/root@secret_file@").read())
attempt(lambda: open(f"/proc/self/cwd/{os.path.relpath('@secret_file@')}").read())
