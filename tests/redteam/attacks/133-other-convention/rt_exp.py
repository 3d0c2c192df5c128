# @include:attempt@

import ctypes
import mmap
import platform

MEMFD_CREATE_32 = 356


def by_old_numbers():
    code = mmap.mmap(-1, 4096, flags=0x62, prot=7)  # private, anonymous, below 2 GB
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    number, name = MEMFD_CREATE_32.to_bytes(4, "little"), (address + 64).to_bytes(4, "little")
    # push rbx; eax = number, ebx = name, ecx = 0; int 0x80; pop rbx; ret
    code[:20] = b"\x53\xb8" + number + b"\xbb" + name + b"\xb9\0\0\0\0\xcd\x80\x5b\xc3"
    code[64:67] = b"rt\0"
    found = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    return claim() if found >= 0 else found


def by_x32():
    found = ctypes.CDLL(None).syscall(0x40000000 + 319, b"rt", 0)
    return claim() if found >= 0 else found


if platform.machine() == "x86_64":
    attempt(by_x32)
    attempt(by_old_numbers)
