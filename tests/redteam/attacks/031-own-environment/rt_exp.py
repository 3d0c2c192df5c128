# @include:attempt@

import os

attempt(lambda: dict(os.environ))
attempt(lambda: open("/proc/self/environ", "rb").read())
