# what the forging attacks share: the call's own socket and the number of the call
import json
import os
import socket
import stat
import struct
import sys


def call_socket():
    """The stream socket that this worker answers on, found as an attacker would: by trying."""
    for fd in range(3, 64):
        try:
            if not stat.S_ISSOCK(os.fstat(fd).st_mode):
                continue
            found = socket.socket(fileno=os.dup(fd))
        except OSError:
            continue
        if found.type == socket.SOCK_STREAM:
            return found
    raise RuntimeError("no socket to forge with")


def nonce():
    """The number of the call under way, from the locals of the frames below."""
    frame = sys._getframe()
    while frame is not None:
        for value in list(frame.f_locals.values()):
            if isinstance(value, dict) and "nonce" in value:
                return value["nonce"]
        frame = frame.f_back
    raise RuntimeError("no call under way")


def pack(header, body=b""):
    data = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<I", len(data)) + data + body


def send(header, body=b""):
    call_socket().sendall(pack(header, body))


def answer(number, values):
    """A well-formed answer of float64 numbers to one call."""
    header = {
        "nonce": number,
        "ok": True,
        "kinds": ["tensor"],
        "buffers": [["float64", [len(values)]]],
    }
    return pack(header, struct.pack(f"<{len(values)}d", *values))
