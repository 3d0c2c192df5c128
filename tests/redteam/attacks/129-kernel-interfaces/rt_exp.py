# @include:attempt@

import ctypes

libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = {"bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425}


def ask(number):
    memory = ctypes.create_string_buffer(256)
    arguments = (0, memory, 48) if number == 321 else (8, memory, 0, 0, 0)
    if number == 323:
        arguments = (0x80001,)
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), str(number))
    return claim()


for number in NUMBERS.values():
    attempt(lambda: ask(number))
