# @include:attempt@

import ctypes


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def memory(pid, address):
    size = int("@token_bytes@")
    buffer = ctypes.create_string_buffer(size)
    ours = Vector(ctypes.addressof(buffer), size)
    theirs = Vector(address, size)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.process_vm_readv(pid, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0) < 0:
        raise OSError(ctypes.get_errno(), "process_vm_readv")
    return buffer.raw


attempt(lambda: memory(int("@grader_pid@"), int("@grader_address@")))
attempt(lambda: memory(int("@decoy_pid@"), int("@decoy_address@")))
