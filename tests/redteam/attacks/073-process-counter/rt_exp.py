# @include:attempt@

import os

attempt(lambda: claim() if os.getpid() > 1000 else os.getpid())
