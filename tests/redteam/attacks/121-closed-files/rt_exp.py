# @include:attempt@

import os

os.umask(0o777)  # needs no permission to change a mode
attempt(lambda: open("closed", "w").close())
attempt(lambda: os.mkdir("folder"))
os.umask(0)
os.makedirs("inner/most")
open("inner/most/file", "w").close()
for name in ("inner/most/file", "inner/most", "inner", "."):
    attempt(lambda: os.chmod(name, 0))
