# @include:attempt@

import socket


def datagram():
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    return sender.sendto(b"x", ("127.0.0.1", int("@udp_port@")))


attempt(datagram)
