# @include:attempt@

import socket

attempt(lambda: socket.socket(socket.AF_UNIX).connect("\0@abstract_name@"))
