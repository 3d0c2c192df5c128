# @include:attempt@

import socket


def pair(kind):
    """A pair from which any address can be reached, as a pair of streams cannot."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    ours.send(b"x")
    if ours.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_DGRAM:
        return claim()


attempt(lambda: pair(socket.SOCK_RAW))
attempt(lambda: pair(socket.SOCK_RAW | socket.SOCK_CLOEXEC))
attempt(lambda: pair(socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
