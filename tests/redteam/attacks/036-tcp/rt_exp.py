# @include:attempt@

import socket

attempt(lambda: socket.create_connection(("127.0.0.1", int("@tcp_port@")), timeout=0.5))
