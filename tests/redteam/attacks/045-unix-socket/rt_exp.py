# @include:attempt@

import socket

attempt(lambda: socket.socket(socket.AF_UNIX).connect("@socket_path@"))
