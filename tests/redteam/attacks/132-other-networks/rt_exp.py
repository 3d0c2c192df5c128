# @include:attempt@

import socket


def make(family, kind, protocol=0):
    socket.socket(family, kind, protocol).close()
    return claim()


attempt(lambda: make(socket.AF_INET6, socket.SOCK_STREAM))
attempt(lambda: make(socket.AF_NETLINK, socket.SOCK_RAW))
attempt(lambda: make(socket.AF_VSOCK, socket.SOCK_STREAM))
attempt(lambda: make(socket.AF_PACKET, socket.SOCK_RAW))
attempt(lambda: make(socket.AF_ALG, socket.SOCK_SEQPACKET))
